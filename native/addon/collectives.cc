#include "addon/collectives.h"

#include <cmath>
#include <optional>
#include <stdexcept>

#include "addon/script_operator.h"
#include "addon/view.h"
#include "core/reduction/kernels.h"

namespace onecopy {

namespace {

// Places of the arguments of collective() and icollective(); the order in binding.ts.
enum Argument {
    kCommunicator,
    kSchedule,
    kOperation,
    kInput,
    kOutput,
    kInputCount,
    kOutputCount,
    kInputList,
    kOutputList,
    kOperator,
    kFunction,
    kArguments
};

using CollectiveArguments = Arguments<kArguments>;

bool isGiven(napi_env env, napi_value value) {
    napi_valuetype type = napi_undefined;
    return napi_typeof(env, value, &type) == napi_ok && type != napi_undefined;
}

std::uint64_t elementBytes(Datatype type) {
    return kDatatypes[static_cast<std::size_t>(type)].bytes;
}

std::uint64_t whole(double value) {
    return value >= 0 && value < 9007199254740992.0 ? static_cast<std::uint64_t>(value) : 0;
}

// Counts and then displacements, in elements: `2 * blocks` numbers.
bool readList(napi_env env, napi_value value, Operand& operand) {
    napi_typedarray_type type;
    std::size_t length = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_float64_array || length % 2 != 0)
        return false;
    const auto* numbers = static_cast<const double*>(data);
    const std::size_t blocks = length / 2;
    operand.listed.reserve(blocks);
    for (std::size_t i = 0; i < blocks; ++i) {
        operand.listed.push_back({whole(numbers[blocks + i]) * operand.elementBytes,
                                  whole(numbers[i]) * operand.elementBytes});
    }
    return true;
}

Operand operandOf(const View& view, double count) {
    Operand operand;
    operand.data = static_cast<std::byte*>(view.data);
    operand.bytes = view.bytes;
    operand.type = view.type;
    operand.elementBytes = elementBytes(view.type);
    operand.count = whole(count);
    return operand;
}

// One call: what its arguments mean, and the execution made of them.
class Call {
   public:
    Call(napi_env env, RankFace& rank, const CollectiveArguments& in)
        : env_(env), rank_(rank), in_(in) {}

    // Buffers are read where they are, for the duration of the call.
    ErrorCode readBuffers(HeldBuffer* input, HeldBuffer* output) {
        if (const ErrorCode wrong = read(kInput, kInputCount, kInputList, input, input_);
            wrong != ErrorCode::ok)
            return wrong;
        return read(kOutput, kOutputCount, kOutputList, output, output_);
    }

    ErrorCode make(std::unique_ptr<ScriptOperator>& script, std::unique_ptr<Execution>& execution) {
        const KeptCommunicator* communicator =
            rank_.communicators.find(in_.real(env_, kCommunicator));
        const KeptSchedule* kept = rank_.schedules.find(in_.real(env_, kSchedule));
        const std::uint32_t operation = in_.unsignedInteger(env_, kOperation);
        if (communicator == nullptr || kept == nullptr || operation >= kCollectives)
            return ErrorCode::request;
        context_ = communicator->context;
        if (static_cast<std::size_t>(kept->schedule->size) != context_->members.size())
            return ErrorCode::request;
        Combiner combiner;
        const std::int32_t op = in_.integer(env_, kOperator);
        const Datatype type = input_.data != nullptr || input_.bytes > 0 || input_.count > 0
                                  ? input_.type
                                  : output_.type;
        if (isGiven(env_, in_.values[kFunction])) {
            script = std::make_unique<ScriptOperator>(env_, in_.values[kFunction], type,
                                                      elementBytes(type), rank_.operatorMemory,
                                                      rank_.inOperator, rank_.views);
            combiner = Combiner(*script, elementBytes(type));
        } else if (op >= 0) {
            const auto kernel = kernelFor(static_cast<Operator>(op), type);
            if (kernel == nullptr) return ErrorCode::op;
            combiner = Combiner(kernel, elementBytes(type));
        }
        execution = std::make_unique<Execution>(kept->schedule, static_cast<Collective>(operation),
                                                std::move(input_), std::move(output_), combiner);
        if (script) execution->operatorText = &script->text();
        return execution->fits() ? ErrorCode::ok : ErrorCode::count;
    }

    void start(Execution& execution) { rank_.engine->startCollective(*context_, execution); }

   private:
    ErrorCode read(Argument buffer, Argument count, Argument list, HeldBuffer* held,
                   Operand& operand) {
        const napi_value value = in_.values[buffer];
        if (!isGiven(env_, value)) return ErrorCode::ok;
        View view;
        if (held != nullptr) {
            if (const ErrorCode wrong = held->hold(env_, value); wrong != ErrorCode::ok)
                return wrong;
            view = held->view();
        } else if (const ErrorCode wrong = readView(env_, value, view); wrong != ErrorCode::ok) {
            return wrong;
        }
        operand = operandOf(view, in_.real(env_, count));
        operand.owner = held;
        if (isGiven(env_, in_.values[list]) && !readList(env_, in_.values[list], operand))
            return ErrorCode::count;
        return ErrorCode::ok;
    }

    napi_env env_;
    RankFace& rank_;
    const CollectiveArguments& in_;
    CollectiveContext* context_ = nullptr;
    Operand input_;
    Operand output_;
};

napi_value collective(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const CollectiveArguments in(env, info);
        RankFace& rank = begin(env);
        Call call(env, rank, in);
        // A user's operator could give the memory away in the middle: then it is held.
        HeldBuffer input;
        HeldBuffer output;
        const bool scripted = isGiven(env, in.values[kFunction]);
        std::unique_ptr<ScriptOperator> script;
        std::unique_ptr<Execution> execution;
        ErrorCode wrong =
            call.readBuffers(scripted ? &input : nullptr, scripted ? &output : nullptr);
        if (wrong == ErrorCode::ok) wrong = call.make(script, execution);
        if (wrong == ErrorCode::ok) {
            call.start(*execution);
            rank.engine->wait(execution->handle);
            wrong = reportCollective(rank, *execution);
        }
        input.letGo();
        output.letGo();
        return code(env, wrong);
    });
}

napi_value icollective(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        const CollectiveArguments in(env, info);
        RankFace& rank = begin(env);
        double handle = 0;
        Pending& pending = rank.pending.open(handle);
        Call call(env, rank, in);
        pending.handle = handle;
        pending.collective = std::make_unique<PendingCollective>();
        PendingCollective& held = *pending.collective;
        ErrorCode wrong = call.readBuffers(&held.input, &held.output);
        if (wrong == ErrorCode::ok) wrong = call.make(held.scriptOperator, held.execution);
        if (wrong != ErrorCode::ok) {
            rank.pending.close(handle);
            return number(env, -static_cast<double>(wrong));
        }
        held.execution->handle.cookie = &pending;
        call.start(*held.execution);
        return number(env, handle);
    });
}

napi_value openCommunicator(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        const Arguments<2> in(env, info);
        RankFace& rank = *face(env);
        napi_typedarray_type type;
        std::size_t length = 0;
        void* data = nullptr;
        if (napi_get_typedarray_info(env, in.values[1], &type, &length, &data, nullptr, nullptr) !=
                napi_ok ||
            type != napi_int32_array)
            return number(env, -static_cast<double>(ErrorCode::arg));
        const auto* ranks = static_cast<const std::int32_t*>(data);
        for (std::size_t i = 0; i < length; ++i) {
            if (ranks[i] < 0 || ranks[i] >= rank.engine->size())
                return number(env, -static_cast<double>(ErrorCode::rank));
        }
        CollectiveContext& context =
            rank.engine->openContext(in.unsignedInteger(env, 0), {ranks, ranks + length});
        double handle = 0;
        rank.communicators.open(handle).context = &context;
        return number(env, handle);
    });
}

napi_value closeCommunicator(napi_env env, napi_callback_info info) {
    const Arguments<1> in(env, info);
    face(env)->communicators.close(in.real(env, 0));
    return nullptr;
}

napi_value compileSchedule(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        const Arguments<1> in(env, info);
        RankFace& rank = *face(env);
        napi_typedarray_type type;
        std::size_t length = 0;
        void* data = nullptr;
        if (napi_get_typedarray_info(env, in.values[0], &type, &length, &data, nullptr, nullptr) !=
                napi_ok ||
            type != napi_int32_array)
            return number(env, -static_cast<double>(ErrorCode::arg));
        double handle = 0;
        auto schedule = Schedule::parse({static_cast<const std::int32_t*>(data), length});
        rank.schedules.open(handle).schedule = std::move(schedule);
        return number(env, handle);
    });
}

napi_value dropSchedule(napi_env env, napi_callback_info info) {
    const Arguments<1> in(env, info);
    face(env)->schedules.close(in.real(env, 0));
    return nullptr;
}

napi_value setOperatorMemory(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<2> in(env, info);
        OperatorMemory& memory = face(env)->operatorMemory;
        View left;
        View right;
        if (readView(env, in.values[0], left) != ErrorCode::ok ||
            readView(env, in.values[1], right) != ErrorCode::ok || left.bytes != right.bytes)
            return code(env, ErrorCode::buffer);
        memory.left = static_cast<std::byte*>(left.data);
        memory.right = static_cast<std::byte*>(right.data);
        memory.bytes = left.bytes;
        for (std::size_t i = 0; i < 2; ++i) {
            if (memory.references[i] != nullptr) napi_delete_reference(env, memory.references[i]);
            napi_create_reference(env, in.values[i], 1, &memory.references[i]);
        }
        return code(env, ErrorCode::ok);
    });
}

Napi::Value failureText(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), face(info.Env())->failureText);
}

}  // namespace

ErrorCode reportCollective(RankFace& rank, const Execution& execution) {
    const Error& error = execution.handle.error;
    if (!error) return ErrorCode::ok;
    reportError(rank, error);
    const Breakage* elsewhere = execution.failedElsewhere();
    rank.report[kCulprit] = elsewhere == nullptr ? -1 : elsewhere->culprit;
    rank.failureText = elsewhere == nullptr ? "" : elsewhere->text;
    return error.code;
}

void registerCollectives(Napi::Env env, Napi::Object exports) {
    exportRaw(env, exports, "openCommunicator", openCommunicator);
    exportRaw(env, exports, "closeCommunicator", closeCommunicator);
    exportRaw(env, exports, "compileSchedule", compileSchedule);
    exportRaw(env, exports, "dropSchedule", dropSchedule);
    exportRaw(env, exports, "setOperatorMemory", setOperatorMemory);
    exportRaw(env, exports, "collective", collective);
    exportRaw(env, exports, "icollective", icollective);
    exports.Set("failureText", Napi::Function::New(env, failureText, "failureText"));
}

}  // namespace onecopy
