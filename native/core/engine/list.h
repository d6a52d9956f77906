// Doubly linked lists whose links lie in the members: no allocation, O(1) removal from the middle.
#pragma once

namespace onecopy {

struct Link {
    Link* previous = nullptr;
    Link* next = nullptr;

    bool linked() const { return next != nullptr; }
    void unlink() {
        if (next == nullptr) return;
        previous->next = next;
        next->previous = previous;
        previous = next = nullptr;
    }
};

// A list of T, which derives from Tag (a Link of its own for each list it can be in).
template <typename T, typename Tag>
class List {
   public:
    List() { head_.previous = head_.next = &head_; }
    List(const List&) = delete;
    List& operator=(const List&) = delete;

    bool empty() const { return head_.next == &head_; }
    void append(T& member) {
        Link& link = static_cast<Tag&>(member);
        link.previous = head_.previous;
        link.next = &head_;
        head_.previous->next = &link;
        head_.previous = &link;
    }
    T* first() const { return empty() ? nullptr : toMember(head_.next); }
    // The member after this one, or null. Take it before the current one is unlinked.
    T* after(T& member) const {
        Link* next = static_cast<Tag&>(member).next;
        return next == &head_ ? nullptr : toMember(next);
    }
    static void remove(T& member) { static_cast<Tag&>(member).unlink(); }

   private:
    static T* toMember(Link* link) { return static_cast<T*>(static_cast<Tag*>(link)); }
    Link head_;
};

}  // namespace onecopy
