// SEQPACKET Unix sockets: whole packets, in order, with descriptors and the sender's credentials
// beside them.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "core/os/fd.h"

namespace onecopy {

// Both ends non-blocking and close-on-exec; throws std::system_error.
std::pair<UniqueFd, UniqueFd> makePacketSocketPair();

// From now on every packet received on this socket carries the kernel's word for who sent it.
void askForCredentials(int socket);

enum class PacketResult {
    done,
    wouldBlock,
    closed,     // the other end is gone and nothing is left to read (or nobody will read)
    truncated,  // the packet or its descriptors did not fit (MSG_TRUNC, MSG_CTRUNC): what arrived
                // is dropped
    failed      // errno says why
};

// Sends one packet. ETOOMANYREFS (too many descriptors in flight for this user) counts as
// wouldBlock.
PacketResult sendPacket(int socket, std::span<const iovec> parts,
                        std::span<const int> descriptors = {});
PacketResult sendPacket(int socket, const void* bytes, std::size_t length,
                        std::span<const int> descriptors = {});

struct ReceivedPacket {
    std::size_t bytes = 0;
    pid_t sender = 0;  // 0 when the socket does not ask for credentials
    std::vector<UniqueFd> descriptors;
};

// Receives one packet into `buffer`. Descriptors come close-on-exec.
PacketResult receivePacket(int socket, std::span<std::byte> buffer, ReceivedPacket& packet);

// The same for packets that carry nothing beside their bytes: the shortest way into the kernel.
PacketResult sendBytes(int socket, std::span<const std::byte> bytes);
PacketResult receiveBytes(int socket, std::span<std::byte> buffer, std::size_t& bytes);

}  // namespace onecopy
