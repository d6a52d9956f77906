#include "addon/parts.h"

#include <cstring>
#include <optional>

#include "addon/face.h"
#include "addon/messages.h"
#include "addon/probing.h"
#include "addon/view.h"

namespace onecopy {

namespace {

constexpr std::uint64_t kPrefixBytes = 16;
constexpr std::uint64_t kAlignment = 64;

// From here on the script gets the memory that was received into; below it an ArrayBuffer of V8's
// own and a copy cost less than one over other memory.
constexpr std::uint64_t kOwnMemory = 64 * 1024;

// Messages up to this length are taken out of the ring without a request.
constexpr std::size_t kSmallBytes = 16 * 1024;

template <typename T>
T read(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

// Where the parts of a message lie; nothing if it is none of ours.
std::optional<std::vector<ByteRange>> layout(std::span<const std::byte> message) {
    const std::uint64_t bytes = message.size();
    if (bytes < kPrefixBytes) return std::nullopt;
    const std::uint64_t count = read<std::uint32_t>(message.data() + 4);
    const auto head = read<std::uint64_t>(message.data() + 8);
    if (count > (bytes - kPrefixBytes) / sizeof(std::uint64_t) || head > bytes ||
        head < kPrefixBytes + count * sizeof(std::uint64_t))
        return std::nullopt;
    std::vector<ByteRange> parts{{0, head}};
    parts.reserve(count + 1);
    std::uint64_t end = head;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto length =
            read<std::uint64_t>(message.data() + kPrefixBytes + i * sizeof(std::uint64_t));
        const std::uint64_t start = (end + kAlignment - 1) / kAlignment * kAlignment;
        if (start > bytes || length > bytes - start) return std::nullopt;
        parts.push_back({start, length});
        end = start + length;
    }
    if (end != bytes) return std::nullopt;
    return parts;
}

napi_value copyOf(napi_env env, std::span<const std::byte> bytes) {
    void* data = nullptr;
    napi_value buffer = nullptr;
    if (napi_create_arraybuffer(env, bytes.size(), &data, &buffer) != napi_ok) {
        bool pending = false;
        napi_value error;
        if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
            napi_get_and_clear_last_exception(env, &error);
        return nullptr;
    }
    if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
    return buffer;
}

// `make(part)` gives the ArrayBuffer of each.
template <typename Make>
ErrorCode listOf(napi_env env, std::span<const ByteRange> ranges, napi_value& parts, Make make) {
    if (napi_create_array_with_length(env, ranges.size(), &parts) != napi_ok)
        return ErrorCode::noMem;
    std::uint32_t index = 0;
    for (const ByteRange& range : ranges) {
        const napi_value buffer = make(range);
        if (buffer == nullptr || napi_set_element(env, parts, index++, buffer) != napi_ok)
            return ErrorCode::noMem;
    }
    return ErrorCode::ok;
}

}  // namespace

// -------------------------------------------------------------------------------------------------
// sending

ErrorCode SentParts::hold(napi_env env, napi_value list) {
    std::uint32_t count = 0;
    if (napi_get_array_length(env, list, &count) != napi_ok) return ErrorCode::buffer;
    env_ = env;
    for (std::uint32_t index = 0; index < count; ++index) {
        napi_value part = nullptr;
        View view;
        if (napi_get_element(env, list, index, &part) != napi_ok) return ErrorCode::buffer;
        if (const ErrorCode wrong = readView(env, part, view); wrong != ErrorCode::ok) return wrong;
        pieces_.push_back({view.data, view.bytes});
        memories_.push_back(pinMemory(env, part));
    }
    return napi_create_reference(env, list, 1, &list_) == napi_ok ? ErrorCode::ok
                                                                  : ErrorCode::buffer;
}

void SentParts::letGo() {
    if (list_ != nullptr) napi_delete_reference(env_, list_);
    list_ = nullptr;
}

bool SentParts::stillThere() {
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    napi_value list = nullptr;
    bool there = napi_get_reference_value(env_, list_, &list) == napi_ok && list != nullptr;
    for (std::uint32_t index = 0; there && index < pieces_.size(); ++index) {
        napi_value part = nullptr;
        View view;
        if (napi_get_element(env_, list, index, &part) != napi_ok) {
            there = false;
            break;
        }
        const ErrorCode found = readView(env_, part, view);
        // As for other buffers: what was freed is out of the script's reach, and still here.
        there = found == ErrorCode::freed
                    ? memories_[index] != nullptr
                    : found == ErrorCode::ok && view.data == pieces_[index].iov_base &&
                          view.bytes == pieces_[index].iov_len;
    }
    napi_close_handle_scope(env_, scope);
    return there;
}

// -------------------------------------------------------------------------------------------------
// receiving

ReceivedParts::~ReceivedParts() {
    if (block_ && block_->finalizers == 0) dropBlock(rank_, *block_);
}

void* ReceivedParts::make(std::uint64_t bytes) {
    bytes_ = bytes;
    try {
        // All of it is going to be written, or nobody will see it.
        if (bytes >= kOwnMemory && !openBlock(env_, rank_, bytes, false, block_))
            return block_->data;
    } catch (const std::exception&) {
        block_.reset();
    }
    // Without descriptors, for one, the heap does not grow.
    small_.reset(new (std::nothrow) std::byte[bytes]);
    return small_.get();
}

ErrorCode ReceivedParts::unpack(napi_value& parts) {
    if (!block_) return unpackFrom(env_, {small_.get(), bytes_}, parts);
    const std::span message(static_cast<const std::byte*>(block_->data), bytes_);
    const auto ranges = layout(message);
    if (!ranges) return ErrorCode::protocol;
    return listOf(env_, *ranges, parts, [&](const ByteRange& range) {
        napi_value buffer = nullptr;
        if (range.bytes >= kOwnMemory)
            buffer = bufferOver(env_, rank_, block_, range.offset, range.bytes);
        return buffer != nullptr ? buffer
                                 : copyOf(env_, message.subspan(range.offset, range.bytes));
    });
}

ErrorCode ReceivedParts::unpackFrom(napi_env env, std::span<const std::byte> message,
                                    napi_value& parts) {
    const auto ranges = layout(message);
    if (!ranges) return ErrorCode::protocol;
    return listOf(env, *ranges, parts, [&](const ByteRange& range) {
        return copyOf(env, message.subspan(range.offset, range.bytes));
    });
}

namespace {

// -------------------------------------------------------------------------------------------------
// calls

napi_value sendParts(napi_env env, napi_callback_info info) {
    return guardedMessage(env, info, [&](RankFace& rank, napi_value list, const Addressed& to) {
        rank.engine->prepareSend(to.partner);
        SentParts parts;
        if (const ErrorCode wrong = parts.hold(env, list); wrong != ErrorCode::ok)
            return done(rank, wrong);
        Request request;
        request.setBuffer(parts.pieces());
        request.owner = &parts;
        request.synchronous = to.synchronous();
        rank.engine->startSend(request, to.partner, to.tag, to.context, MessageKind::object,
                               Datatype::byte);
        return done(rank, finish(rank, request));
    });
}

// What could not be done at once.
template <typename Start>
napi_value startParts(RankFace& rank, std::unique_ptr<PendingParts> parts, Start start) {
    double handle = 0;
    Pending& pending = rank.pending.open(handle);
    pending.handle = handle;
    pending.parts = std::move(parts);
    Request& request = pending.request;
    request.cookie = &pending;
    start(request, *pending.parts);
    rank.report[kSlot] = static_cast<double>(HandleTable<Pending>::slotOf(handle));
    return done(rank, handle);
}

napi_value isendParts(napi_env env, napi_callback_info info) {
    return guardedMessage<-1>(env, info, [&](RankFace& rank, napi_value list, const Addressed& to) {
        rank.engine->prepareSend(to.partner);
        auto parts = std::make_unique<PendingParts>();
        parts->sent = std::make_unique<SentParts>();
        if (const ErrorCode wrong = parts->sent->hold(env, list); wrong != ErrorCode::ok)
            return done(rank, -static_cast<double>(wrong));
        return startParts(rank, std::move(parts), [&](Request& request, PendingParts& own) {
            request.setBuffer(own.sent->pieces());
            request.owner = own.sent.get();
            request.synchronous = to.synchronous();
            rank.engine->startSend(request, to.partner, to.tag, to.context, MessageKind::object,
                                   Datatype::byte);
        });
    });
}

std::byte* smallMemory() {
    static std::byte memory[kSmallBytes];
    return memory;
}

napi_value recvParts(napi_env env, napi_callback_info info) {
    return guardedMessage(env, info, [&](RankFace& rank, napi_value, const Addressed& from) {
        napi_value parts = nullptr;
        rank.engine->prepareRecv(from.partner);
        Envelope came;
        if (rank.engine->recvAtOnce(smallMemory(), kSmallBytes, from.selector(),
                                    MessageKind::object, Datatype::byte, came)) {
            const std::span<const std::byte> message(smallMemory(), came.bytes);
            done(rank, ReceivedParts::unpackFrom(env, message, parts));
            reportArrival(rank, came);
            return parts;
        }
        ReceivedParts received(env, rank);
        Request request;
        request.maker = &received;
        rank.engine->startRecv(request, from.selector(), MessageKind::object, Datatype::byte);
        ErrorCode outcome = finish(rank, request);
        if (outcome == ErrorCode::ok) outcome = received.unpack(parts);
        done(rank, outcome);
        return parts;
    });
}

napi_value irecvParts(napi_env env, napi_callback_info info) {
    return guardedMessage<-1>(env, info, [&](RankFace& rank, napi_value, const Addressed& from) {
        rank.engine->prepareRecv(from.partner);
        Envelope came;
        if (rank.engine->takeAtOnce(smallMemory(), kSmallBytes, from.selector(),
                                    MessageKind::object, Datatype::byte, came)) {
            napi_value parts = nullptr;
            const std::span<const std::byte> message(smallMemory(), came.bytes);
            done(rank, -static_cast<double>(ReceivedParts::unpackFrom(env, message, parts)));
            reportArrival(rank, came);
            return parts;
        }
        auto parts = std::make_unique<PendingParts>();
        parts->received = std::make_unique<ReceivedParts>(env, rank);
        return startParts(rank, std::move(parts), [&](Request& request, PendingParts& own) {
            request.maker = own.received.get();
            rank.engine->startRecv(request, from.selector(), MessageKind::object, Datatype::byte);
        });
    });
}

napi_value mrecvParts(napi_env env, napi_callback_info info) {
    return guarded(env, [&]() -> napi_value {
        const Arguments<1> in(env, info);
        RankFace& rank = begin(*in.rank);
        const double handle = in.real(env, 0);
        KeptMessage* kept = rank.messages.find(handle);
        if (kept == nullptr) return done(rank, ErrorCode::request);
        ReceivedParts received(env, rank);
        Request request;
        request.maker = &received;
        rank.engine->startMatchedRecv(request, takeMessage(rank, *kept, handle),
                                      MessageKind::object, Datatype::byte);
        napi_value parts = nullptr;
        ErrorCode outcome = finish(rank, request);
        if (outcome == ErrorCode::ok) outcome = received.unpack(parts);
        done(rank, outcome);
        return parts;
    });
}

napi_value takeParts(napi_env env, napi_callback_info info) {
    return guarded(env, [&]() -> napi_value {
        const Arguments<1> in(env, info);
        RankFace& rank = *in.rank;
        const auto found = rank.received.find(in.real(env, 0));
        if (found == rank.received.end()) return done(rank, ErrorCode::request);
        const std::unique_ptr<ReceivedParts> received = std::move(found->second);
        rank.received.erase(found);
        napi_value parts = nullptr;
        done(rank, received->unpack(parts));
        return parts;
    });
}

}  // namespace

void registerParts(Napi::Env env, Napi::Object exports) {
    exportRaw(env, exports, "sendParts", sendParts);
    exportRaw(env, exports, "recvParts", recvParts);
    exportRaw(env, exports, "isendParts", isendParts);
    exportRaw(env, exports, "irecvParts", irecvParts);
    exportRaw(env, exports, "mrecvParts", mrecvParts);
    exportRaw(env, exports, "takeParts", takeParts);
}

}  // namespace onecopy
