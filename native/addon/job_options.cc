#include "addon/job_options.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace onecopy {

namespace {

// Reads the fields of LaunchOptions; one of a wrong type throws std::invalid_argument.
class OptionReader {
   public:
    explicit OptionReader(const Napi::Object& object) : object_(object) {}

    bool has(const char* name) const { return !object_.Get(name).IsUndefined(); }

    double number(const char* name) const { return asNumber(name, object_.Get(name)); }

    std::string string(const char* name) const { return asString(name, object_.Get(name)); }

    bool flag(const char* name) const { return object_.Get(name).ToBoolean(); }

    std::vector<std::string> strings(const char* name) const {
        std::vector<std::string> result;
        const Napi::Array array = asArray(name);
        for (std::uint32_t i = 0; i < array.Length(); ++i) {
            result.push_back(asString(name, array.Get(i)));
        }
        return result;
    }

    std::vector<double> numbers(const char* name) const {
        std::vector<double> result;
        const Napi::Array array = asArray(name);
        for (std::uint32_t i = 0; i < array.Length(); ++i) {
            result.push_back(asNumber(name, array.Get(i)));
        }
        return result;
    }

   private:
    [[noreturn]] static void refuse(const char* name, const char* wanted) {
        throw std::invalid_argument(std::string(name) + " must be " + wanted);
    }

    static double asNumber(const char* name, const Napi::Value& value) {
        const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
        // All of them count something, and none may exceed what a double holds exactly.
        if (!(number >= 0 && number <= 9007199254740991)) refuse(name, "a number, at least 0");
        return number;
    }

    static std::string asString(const char* name, const Napi::Value& value) {
        if (!value.IsString()) refuse(name, "a string");
        std::string text = value.As<Napi::String>().Utf8Value();
        // execve would end the string there.
        if (text.find('\0') != std::string::npos) refuse(name, "a string without null bytes");
        return text;
    }

    Napi::Array asArray(const char* name) const {
        const Napi::Value value = object_.Get(name);
        if (!value.IsArray()) refuse(name, "an array");
        return value.As<Napi::Array>();
    }

    Napi::Object object_;
};

}  // namespace

JobOptions readOptions(const Napi::Object& object) {
    const OptionReader reader(object);
    JobOptions options;
    options.ranks = static_cast<std::size_t>(reader.number("ranks"));
    options.program.file = reader.string("file");
    options.program.args = reader.strings("args");
    options.program.env = reader.strings("env");
    if (reader.has("cwd")) options.program.cwd = reader.string("cwd");
    // Limited to what a clock in nanoseconds holds easily; a month is as good as never.
    constexpr double kLongest = 30.0 * 24 * 3600 * 1000;
    options.grace =
        std::chrono::milliseconds(std::llround(std::min(reader.number("graceMs"), kLongest)));
    if (reader.has("eagerLimit")) {
        options.eagerLimit = static_cast<std::uint64_t>(reader.number("eagerLimit"));
    }
    if (reader.has("channel")) {
        const std::string channel = reader.string("channel");
        if (channel != "ring" && channel != "socket")
            throw std::invalid_argument("channel must be ring or socket");
        options.channel = channel == "ring" ? ChannelKind::ring : ChannelKind::socket;
    }
    options.denyPull = reader.flag("denyPull");
    if (reader.has("spinUs")) {
        options.spinNanoseconds =
            static_cast<std::uint64_t>(std::min(reader.number("spinUs"), kLongest) * 1000);
    }
    if (object.Get("stdin").IsNumber()) options.input = static_cast<int>(reader.number("stdin"));
    if (reader.has("guardians")) {
        for (const double pid : reader.numbers("guardians")) {
            options.guardians.push_back(static_cast<pid_t>(pid));
        }
    }
    return options;
}

}  // namespace onecopy
