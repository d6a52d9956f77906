// The launcher's side of the control sockets without its thread and without processes: a test plays
// the ranks itself and decides when the launcher looks.
#pragma once

#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "core/launch/broker.h"
#include "core/launch/reception.h"
#include "core/launch/roster.h"
#include "test/control_client.h"

namespace onecopy::test {

struct LauncherSide {
    explicit LauncherSide(std::size_t ranks)
        : roster(settingsFor(ranks)),
          clients(makeClients(roster, ranks)),
          broker(roster, {.note = [this](const std::string& text) { notes.push_back(text); },
                          .watchRoom =
                              [this](std::size_t rank, bool wanted) {
                                  if (wanted) {
                                      waitsForRoom.insert(rank);
                                  } else {
                                      waitsForRoom.erase(rank);
                                  }
                              }}),
          reception(
              roster, broker,
              {.abort =
                   [this](std::size_t rank, int code, bool uncaught, const std::string& text) {
                       aborts.push_back({rank, code, uncaught, text});
                   },
               .note = [this](const std::string& text) { notes.push_back(text); }}) {}

    // Reads everything that lies there. False: the rank's line is over.
    bool serve(std::size_t rank) { return reception.read(rank, 1000); }

    // The rank joins, up to the acknowledgement.
    bool join(std::size_t rank) {
        ControlClient& client = clients[rank];
        client.send(client.greeting());
        serve(rank);
        const bool welcomed = client.receive(0).kind() == ControlKind::welcome;
        client.say(ControlKind::ack);
        serve(rank);
        return welcomed;
    }
    void connect(std::size_t rank, std::size_t peer) {
        clients[rank].connect(peer);
        serve(rank);
    }
    void acknowledge(std::size_t rank) {
        clients[rank].say(ControlKind::ack);
        serve(rank);
    }
    std::uint32_t news(std::size_t rank) {
        const Mapping job(roster.jobSegment(), JobSegment::bytesFor(roster.size()),
                          Mapping::Access::read);
        return job.as<const JobSegment>()->rank(rank).news.load();
    }

    struct Abort {
        std::size_t rank;
        int code;
        bool uncaught;
        std::string text;
    };

    Roster roster;
    std::vector<ControlClient> clients;
    std::vector<std::string> notes;
    std::vector<Abort> aborts;
    std::set<std::size_t> waitsForRoom;
    Broker broker;
    Reception reception;

   private:
    static JobSettings settingsFor(std::size_t ranks) {
        JobSettings settings{};
        settings.size = static_cast<std::uint32_t>(ranks);
        settings.cores = 1;
        return settings;
    }
    static std::vector<ControlClient> makeClients(Roster& roster, std::size_t ranks) {
        std::vector<ControlClient> clients;
        for (std::size_t rank = 0; rank < ranks; ++rank) {
            clients.emplace_back(roster.addRank(), roster.jobId());
            roster.setPid(rank, ::getpid());
        }
        return clients;
    }
};

}  // namespace onecopy::test
