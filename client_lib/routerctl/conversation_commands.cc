#include <chrono>
#include <memory>
#include <optional>

#include "client_lib/routerctl/commands.h"
#include "client_lib/routerctl/table.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadBool;
using client::ReadChild;
using client::ReadInt;
using client::ReadText;
using ipc::Value;
using std::chrono::system_clock;
using Style = Console::Style;

constexpr std::chrono::minutes kExportTimeout{10};

struct ListOptions {
  std::string prefix;
  std::string user_id;
  std::string after;
  std::int64_t limit = 100;
  std::optional<std::uint32_t> uid;
};

struct ConversationOptions {
  std::string id;
  bool remove = false;
  bool export_lines = false;
  std::optional<std::int64_t> truncate;
  std::optional<std::int64_t> limit;
  std::optional<std::uint32_t> uid;
};

int ShowList(const Console& console, const Value& body) {
  Table table({{"CONVERSATION"},
               {"UPDATED"},
               {"MESSAGES", Table::Align::kRight},
               {"TOKENS", Table::Align::kRight}});
  for (const Value& row : ReadChild(body, "conversations")) {
    table.Add({ReadText(row, "conv_id"), Relative(ReadText(row, "updated_at"), system_clock::now()),
               Count(ReadInt(row, "message_count")), Count(ReadInt(row, "total_tokens"))});
  }
  console.Print(table.Text(console.Escape(Style::kBold)));
  const std::string next = ReadText(body, "next");
  if (!next.empty()) console.Note("there are more: --after '" + Printable(next) + "'");
  return kFine;
}

Value ListBody(const ListOptions& options) {
  Value body = {{"limit", options.limit}};
  if (!options.prefix.empty()) body["prefix"] = options.prefix;
  if (!options.user_id.empty()) body["user_id"] = options.user_id;
  if (!options.after.empty()) body["after"] = options.after;
  if (options.uid) body["uid"] = *options.uid;
  return body;
}

// The text of a message: its own, or that of its parts.
std::string ContentOf(const Value& message) {
  const Value& content = ReadChild(message, "content");
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  for (const Value& part : content) {
    text += ReadText(part, "type") == "text" ? ReadText(part, "text") : "[image]";
  }
  for (const Value& call : ReadChild(message, "tool_calls")) {
    text += "[tool call " + ReadText(call, "name") + " " + ReadText(call, "arguments") + "]";
  }
  return text;
}

void ShowMessage(const Console& console, const Value& message) {
  const Value& metadata = ReadChild(message, "metadata");
  std::string head = Printable(ReadText(message, "role") + "  " + ReadText(message, "timestamp"));
  const std::string model = ReadText(metadata, "model");
  if (!model.empty()) head += Printable("  " + model + " by " + ReadText(metadata, "key_id"));
  console.Print("\n" + console.Styled(Style::kBold, head) + "\n" +
                Printable(ContentOf(message), /*keep_lines=*/true) + "\n");
}

int ShowConversation(const Console& console, const Value& body) {
  const Value& metadata = ReadChild(body, "metadata");
  console.Print(Printable(ReadText(body, "conv_id")) + ": " +
                Count(ReadInt(metadata, "message_count")) + " messages, " +
                Count(ReadInt(metadata, "total_tokens")) + " tokens, expires " +
                Relative(ReadText(metadata, "expires_at"), system_clock::now()) + "\n");
  const std::string system_prompt = ReadText(body, "system_prompt");
  if (!system_prompt.empty()) {
    console.Print("\n" + console.Styled(Style::kBold, "system") + "\n" +
                  Printable(system_prompt, /*keep_lines=*/true) + "\n");
  }
  for (const Value& message : ReadChild(body, "messages")) ShowMessage(console, message);
  return kFine;
}

int ShowTruncated(const Console& console, const Value& body) {
  console.Print("removed " + Count(ReadInt(body, "removed")) + " messages, kept " +
                Count(ReadInt(body, "message_count")) + "\n");
  return kFine;
}

int ShowDeleted(const Console& console, const Value& body) {
  const bool deleted = ReadBool(body, "deleted");
  console.Print(deleted ? "deleted\n" : "there is no such conversation\n");
  return deleted ? kFine : kRefused;
}

// Lines of JSON on stdout with and without --json: that is what an export is.
int Export(const Console& console, Daemon& daemon, const std::string& id) {
  Value body = Value::object();
  if (!id.empty()) body["conv_id"] = id;
  const auto print = [&console](const Value& event) {
    console.Print(ReadText(event, "line") + "\n");
    return true;
  };
  const auto reply = daemon.Ask("conversation.export", body, print, kExportTimeout);
  return reply ? kFine : console.Fail(reply.error());
}

int Conversation(const Console& console, Daemon& daemon, const ConversationOptions& options) {
  if (options.export_lines) return Export(console, daemon, options.id);
  if (options.id.empty()) {
    return console.FailUsage("ID is required; without it only --export is possible");
  }
  Value body = {{"conv_id", options.id}};
  if (options.remove) {
    return AskAndShow(console, daemon, "conversation.delete", body, ShowDeleted);
  }
  if (options.truncate) {
    body["keep_last_n"] = *options.truncate;
    return AskAndShow(console, daemon, "conversation.truncate", body, ShowTruncated);
  }
  if (options.limit) body["limit"] = *options.limit;
  if (options.uid) body["uid"] = *options.uid;
  return AskAndShow(console, daemon, "conversation.get", body, ShowConversation);
}

void AddList(CommandSet& set) {
  CLI::App* command = set.Add("conversations", "The stored conversations, by their ids",
                              "  routerctl conversations\n"
                              "  routerctl conversations --prefix planner_\n"
                              "  sudo routerctl conversations --uid 1000");
  auto options = std::make_shared<ListOptions>();
  command->add_option("--prefix", options->prefix, "Only ids that begin so");
  command->add_option("--user-id", options->user_id, "Only those of this label");
  command->add_option("--limit", options->limit, "At most so many")->check(CLI::PositiveNumber);
  command->add_option("--after", options->after, "The next page, as the one before names it");
  command->add_option("--uid", options->uid, "Another user's (administrators)");
  set.Run(command, [options](const Console& console, Daemon& daemon) {
    return AskAndShow(console, daemon, "conversation.list", ListBody(*options), ShowList);
  });
}

void AddOne(CommandSet& set) {
  CLI::App* command = set.Add("conversation", "Show, shorten, delete or export one conversation",
                              "  routerctl conversation planner_1a2b3c4d\n"
                              "  routerctl conversation planner_1a2b3c4d --truncate 10\n"
                              "  routerctl conversation planner_1a2b3c4d --delete\n"
                              "  routerctl conversation --export > all.jsonl");
  auto options = std::make_shared<ConversationOptions>();
  command->add_option("ID", options->id, "The conversation's id");
  CLI::Option* remove = command->add_flag("--delete", options->remove, "Delete it");
  CLI::Option* truncate = command
                              ->add_option("--truncate", options->truncate,
                                           "Keep at most the last N messages, whole turns")
                              ->check(CLI::NonNegativeNumber)
                              ->excludes(remove);
  command->add_flag("--export", options->export_lines, "Print it, or without ID all, as JSON lines")
      ->excludes(remove)
      ->excludes(truncate);
  command->add_option("--limit", options->limit, "Show only the last N messages")
      ->check(CLI::PositiveNumber);
  command->add_option("--uid", options->uid, "Another user's (administrators)");
  set.Run(command, [options](const Console& console, Daemon& daemon) {
    return Conversation(console, daemon, *options);
  });
}

}  // namespace

void AddConversationCommands(CommandSet& set) {
  AddList(set);
  AddOne(set);
}

}  // namespace requestrouter::routerctl
