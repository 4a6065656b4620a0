#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "daemon/config/fields.h"
#include "daemon/config/number_settings.h"
#include "daemon/config/providers.h"

// REFERENCE.md describes everything that the loader reads.
namespace requestrouter::config {
namespace {

std::string Reference() {
  std::ifstream file(REPO_ROOT "/daemon/config/REFERENCE.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The text from one heading to the next of the same or a higher level.
std::string Section(const std::string& reference, const std::string& heading) {
  const auto begin = reference.find("\n" + heading + "\n");
  if (begin == std::string::npos) return "";
  const auto end = reference.find("\n## ", begin + 1);
  return reference.substr(begin, end - begin);
}

// Whether the first column of a table names the field.
bool HasRow(const std::string& section, std::string_view name) {
  const std::string quoted = "`" + std::string(name) + "`";
  std::istringstream lines(section);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| ", 0) == 0 && line.substr(0, line.find('|', 1)).find(quoted) != line.npos) {
      return true;
    }
  }
  return false;
}

template <typename Names>
void ExpectRows(const std::string& heading, const Names& names) {
  const std::string section = Section(Reference(), heading);
  ASSERT_FALSE(section.empty()) << heading;
  for (const auto& name : names) EXPECT_TRUE(HasRow(section, name)) << heading << ": " << name;
}

TEST(Reference, HasEveryField) {
  ExpectRows("## The file", kRootFields);
  ExpectRows("## `keys[]`", kKeyFields);
  ExpectRows("## `keys[]`", kTagFields);
  ExpectRows("## `providers.<name>`", kProviderFields);
  ExpectRows("## `models.<name>`", kModelFields);
  ExpectRows("## `callers[]`", kCallerFields);
  ExpectRows("## `agents.<name>`", kAgentFields);
  ExpectRows("## `config`", kOtherSettings);
}

TEST(Reference, HasEveryNumberWithItsRangeAndVariable) {
  const std::string section = Section(Reference(), "## `config`");
  for (const NumberSetting& setting : NumberSettings()) {
    std::string row = "| `" + std::string(setting.field) + "` | " + std::to_string(setting.min) +
                      " to " + std::to_string(setting.max) + " | ";
    EXPECT_NE(section.find(row), std::string::npos) << row;
    if (setting.variable.empty()) continue;
    EXPECT_NE(section.find("| `" + std::string(setting.variable) + "` |"), std::string::npos)
        << setting.variable;
  }
}

TEST(Reference, HasEveryBuiltInProviderWithItsAddress) {
  const std::string section = Section(Reference(), "## `providers.<name>`");
  for (const auto& [name, provider] : BuiltInProviders()) {
    EXPECT_TRUE(HasRow(section, name)) << name;
    EXPECT_NE(section.find("`" + provider.http.base_url + "` |"), std::string::npos) << name;
  }
}

TEST(Reference, HasEverySourceOfSecrets) {
  const std::string section = Section(Reference(), "## Secrets");
  for (const auto source : kSecretFields) {
    EXPECT_NE(section.find("{\"" + std::string(source) + "\": "), std::string::npos) << source;
  }
}

TEST(Reference, DoesNotFindWhatIsNotThere) {
  EXPECT_FALSE(HasRow(Section(Reference(), "## `config`"), "rpm"));
  EXPECT_TRUE(Section(Reference(), "## Nothing").empty());
}

}  // namespace
}  // namespace requestrouter::config
