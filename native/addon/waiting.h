// Operations in flight as calls name them: one by its handle, or many at once.
#pragma once

#include <cstddef>

#include "addon/face.h"

namespace onecopy {

// An operation that goes on, or whose end was not told yet.
Pending* findActive(const RankFace& rank, double handle);
// Forgets an operation that is complete; a persistent one can be started again.
void close(RankFace& rank, Pending& pending);

// Milliseconds from now; negative: never.
inline Nanoseconds deadlineIn(double milliseconds) {
    return milliseconds >= 0 && milliseconds < 1e12
               ? now() + static_cast<Nanoseconds>(milliseconds * 1e6)
               : kNever;
}

// Types in the outcome of an operation that has not succeeded.
inline constexpr double kToBeAsked = -1;
inline constexpr double kGoesOn = -2;

// What the calls that name many operations have in common: their handles, and room for the
// outcomes.
class Named {
   public:
    // False: the arguments are not what they must be.
    bool read(napi_env env, RankFace& rank, napi_value handles, napi_value outcomes,
              std::size_t count);
    // Makes the list of the requests behind the handles. False: one of them is none.
    static bool find(RankFace& rank);
    double* outcome(std::size_t index) const { return outcomes_ + index * kOutcomePlaces; }

   private:
    double* outcomes_ = nullptr;
};

// The functions of the binding that wait, or look whether there is anything to wait for.
void registerWaiting(napi_env env, napi_value exports);

}  // namespace onecopy
