// SPDX-License-Identifier: MIT
// reference_book ITCH ROUNDS: order books as one writes them in C++ at first, std::unordered_map and std::map, over the same
// messages; prints the best round's nanoseconds a message.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <unordered_map>
#include <vector>

namespace {

double thread_ns() {
  std::timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

std::uint64_t be(const std::uint8_t *from, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value = value << 8 | from[i];
  return value;
}

struct Level {
  std::uint64_t shares = 0;
  std::uint32_t orders = 0;
};

struct Book {
  std::map<std::uint32_t, Level, std::greater<>> bids;
  std::map<std::uint32_t, Level> asks;
};

struct Order {
  std::uint16_t locate;
  bool buy;
  std::uint32_t price, shares;
};

class Books {
 public:
  void message(const std::uint8_t *m) {
    switch (m[0]) {
      case 'A':
      case 'F':
        add(be(m + 11, 8), {static_cast<std::uint16_t>(be(m + 1, 2)), m[19] == 'B',
                            static_cast<std::uint32_t>(be(m + 32, 4)), static_cast<std::uint32_t>(be(m + 20, 4))});
        break;
      case 'E':
      case 'C':
      case 'X': reduce(be(m + 11, 8), static_cast<std::uint32_t>(be(m + 19, 4))); break;
      case 'D': remove(be(m + 11, 8)); break;
      case 'U': {
        auto found = orders_.find(be(m + 11, 8));
        if (found == orders_.end()) break;
        Order order = found->second;
        remove(found->first);
        order.shares = static_cast<std::uint32_t>(be(m + 27, 4));
        order.price = static_cast<std::uint32_t>(be(m + 31, 4));
        add(be(m + 19, 8), order);
        break;
      }
      default: break;
    }
  }

  std::size_t live() const { return orders_.size(); }

 private:
  template <typename Side>
  static void take(Side &side, const Order &order, std::uint32_t shares, bool gone) {
    auto level = side.find(order.price);
    level->second.shares -= shares;
    if (gone && --level->second.orders == 0) side.erase(level);
  }

  void add(std::uint64_t reference, const Order &order) {
    if (!orders_.emplace(reference, order).second) return;
    Book &book = books_[order.locate];
    Level &level = order.buy ? book.bids[order.price] : book.asks[order.price];
    level.shares += order.shares;
    level.orders++;
  }

  void leave(const Order &order, std::uint32_t shares, bool gone) {
    Book &book = books_[order.locate];
    if (order.buy) {
      take(book.bids, order, shares, gone);
    } else {
      take(book.asks, order, shares, gone);
    }
  }

  void reduce(std::uint64_t reference, std::uint32_t shares) {
    auto found = orders_.find(reference);
    if (found == orders_.end()) return;
    if (shares >= found->second.shares) {
      remove(reference);
      return;
    }
    leave(found->second, shares, false);
    found->second.shares -= shares;
  }

  void remove(std::uint64_t reference) {
    auto found = orders_.find(reference);
    if (found == orders_.end()) return;
    leave(found->second, found->second.shares, true);
    orders_.erase(found);
  }

  std::unordered_map<std::uint64_t, Order> orders_;
  std::unordered_map<std::uint16_t, Book> books_;
};

}  // namespace

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::vector<std::uint8_t> data{std::istreambuf_iterator<char>(file), {}};
  double best = 1e300;
  std::size_t messages = 0, live = 0;
  for (int round = 0; round < std::atoi(argv[2]); round++) {
    Books books;
    messages = 0;
    const auto start = thread_ns();
    for (std::size_t at = 0; at + 2 <= data.size(); messages++) {
      const std::size_t length = be(&data[at], 2);
      books.message(&data[at + 2]);
      at += 2 + length;
    }
    const double took = thread_ns() - start;
    if (took / messages < best) best = took / messages;
    live = books.live();
  }
  std::printf("{\"messages\": %zu, \"live_orders\": %zu, \"mean_ns\": %.2f}\n", messages, live, best);
  return 0;
}
