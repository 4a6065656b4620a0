#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

// COPIES FOLDER…: runs a fuzz target over every file of the folders, and then over so many changed
// copies of them, the same ones each time: for compilers without libFuzzer, and for every test run.
// What is wrong ends the process, as it does under libFuzzer.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kLongest = 16'384;  // of a copy

void Run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Small changes, and parts of other inputs: what libFuzzer does, without its knowledge of coverage.
class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& inputs) : inputs_(inputs) {}

  std::string Next() {
    std::string bytes = inputs_[Below(inputs_.size())].substr(0, kLongest);
    for (std::size_t changes = 1 + Below(4); changes > 0; --changes) Change(bytes);
    return bytes;
  }

 private:
  std::size_t Below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  char Byte() { return static_cast<char>(random_() & 0xff); }

  void Change(std::string& bytes) {
    const std::size_t at = Below(bytes.size());
    const std::size_t length = 1 + Below(8);
    switch (Below(6)) {
      case 0:
        if (!bytes.empty()) bytes[at] = Byte();
        break;
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
        break;
      case 2:
        bytes.insert(at, length, Byte());
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.resize(at);
        break;
      default: {
        const std::string& other = inputs_[Below(inputs_.size())];
        const std::size_t from = Below(other.size());
        bytes.insert(at, other.substr(from, Below(64)));
      }
    }
  }

  const std::vector<std::string>& inputs_;
  std::mt19937 random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int copies = std::atoi(argv[1]);
  Run("");
  std::vector<std::string> inputs;
  for (int i = 2; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::cerr << entry.path().filename().string() << '\n';  // the last one is to blame
      inputs.push_back(Read(entry.path()));
      Run(inputs.back());
    }
  }
  if (inputs.empty()) {
    std::cerr << "no corpus\n";
    return 1;
  }
  // Sorted, because folders are not: the same copies on every machine.
  std::sort(inputs.begin(), inputs.end());
  Mutator mutator(inputs);
  std::cerr << "changed copies\n";
  for (int i = 0; i < copies; ++i) {
    Run(mutator.Next());
  }
  return 0;
}
