#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

#include "client_lib/routerctl/commands.h"
#include "client_lib/routerctl/interrupt.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/src/base64.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadBool;
using client::ReadChild;
using client::ReadInt;
using client::ReadOptionalInt;
using client::ReadText;
using client::ReadTexts;
using ipc::Value;
using std::chrono::milliseconds;

struct ChatOptions {
  std::string prompt;
  std::string model;
  std::string system;
  std::string conversation;
  std::string workload;
  std::vector<std::string> images;
  std::int64_t max_output_tokens = 0;
  bool stream = true;
  bool verbose = false;
};

std::string MimeTypeOf(const std::string& path) {
  const std::string suffix = path.substr(path.find_last_of('.') + 1);
  if (suffix == "png" || suffix == "webp" || suffix == "gif") return "image/" + suffix;
  return suffix == "jpg" || suffix == "jpeg" ? "image/jpeg" : "";
}

// The message part of an image given by its address or its file; an Error naming the file.
Result<Value> ImagePart(const std::string& image) {
  if (image.starts_with("https://") || image.starts_with("http://")) {
    return Value{{"type", "image"}, {"url", image}};
  }
  Error error;
  error.type = ErrorType::kInvalidRequest;
  const std::string mime_type = MimeTypeOf(image);
  error.message = "the image \"" + image + "\" is not a .png, .jpg, .webp or .gif";
  if (mime_type.empty()) return error;
  std::ifstream file(image, std::ios::binary);
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  error.message = "the image \"" + image + "\" cannot be read";
  if (!file.is_open() || bytes.empty()) return error;
  return Value{
      {"type", "image"}, {"mime_type", mime_type}, {"data_base64", client::EncodeBase64(bytes)}};
}

std::string PromptOf(const ChatOptions& options) {
  if (!options.prompt.empty() && options.prompt != "-") return options.prompt;
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

// The turn of the user: a prompt, or a message of several parts where there are images.
std::optional<Error> AddTurn(const ChatOptions& options, const std::string& prompt, Value& body) {
  if (options.images.empty()) {
    body["prompt"] = prompt;
    return std::nullopt;
  }
  Value parts = Value::array({Value{{"type", "text"}, {"text", prompt}}});
  for (const std::string& image : options.images) {
    auto part = ImagePart(image);
    if (!part) return std::move(part.error());
    parts.push_back(std::move(*part));
  }
  body["messages"] = Value::array({Value{{"role", "user"}, {"content", std::move(parts)}}});
  return std::nullopt;
}

Result<Value> ChatBody(const ChatOptions& options, const std::string& prompt) {
  Value body = {{"agent", "routerctl"}, {"priority", "interactive"}};
  if (auto error = AddTurn(options, prompt, body)) return std::move(*error);
  if (!options.model.empty()) body["model_preference"] = options.model;
  if (!options.system.empty()) body["system_prompt"] = options.system;
  if (!options.conversation.empty()) body["conv_id"] = options.conversation;
  if (!options.workload.empty()) body["workload"] = options.workload;
  if (options.max_output_tokens > 0) body["max_output_tokens"] = options.max_output_tokens;
  if (options.stream) {
    body["stream"] = true;
    body["progress"] = true;
  }
  return body;
}

// Shows a streamed answer as it comes.
class ChatView {
 public:
  explicit ChatView(const Console& console) : console_(console) {}

  void OnEvent(const Value& body) {
    if (console_.json()) return console_.PrintJson(body);
    const std::string text = ReadText(ReadChild(body, "delta"), "text");
    if (!text.empty()) ShowText(text);
    const Value& progress = ReadChild(body, "progress");
    if (progress.is_object() && shown_.empty()) ShowProgress(progress);
  }

  // What of the final text has not been shown yet, and the end of the line.
  void Finish(const std::string& content) {
    if (content.starts_with(shown_) && content.size() > shown_.size()) {
      ShowText(content.substr(shown_.size()));
    }
    EndLine();
  }

  void EndLine() const {
    if (!shown_.empty() && !shown_.ends_with('\n')) console_.Print("\n");
  }

 private:
  // What a model writes is not to steer the terminal; a pipe gets it as it is.
  void ShowText(const std::string& text) {
    console_.Print(console_.stdout_is_terminal() ? Printable(text, /*keep_lines=*/true) : text);
    shown_ += text;
  }

  void ShowProgress(const Value& progress) const {
    const auto eta = ReadOptionalInt(progress, "eta_ms");
    if (!console_.stderr_is_terminal() || ReadText(progress, "state") != "waiting" || !eta) return;
    const auto position = ReadOptionalInt(progress, "position");
    console_.Note("waiting for capacity, about " + Duration(milliseconds(*eta)) +
                  (position ? " (position " + Count(*position) + ")" : ""));
  }

  const Console& console_;
  std::string shown_;
};

std::string Summary(const Value& reply) {
  const Value& tokens = ReadChild(reply, "tokens");
  std::string text = "[" + ReadText(reply, "model") + " by " + ReadText(reply, "key_id") + ", " +
                     Count(ReadInt(tokens, "input")) + " + " + Count(ReadInt(tokens, "output")) +
                     " tokens, " + Duration(milliseconds(ReadInt(reply, "duration_ms")));
  const std::int64_t waited = ReadInt(reply, "waited_ms");
  if (waited > 0) text += ", waited " + Duration(milliseconds(waited));
  const std::string wanted = ReadText(reply, "model_requested");
  if (ReadBool(reply, "fallback"))
    text += wanted.empty() ? ", fallback" : ", in place of " + wanted;
  return Printable(text + "]");
}

int ShowReply(const Console& console, ChatView& view, const ChatOptions& options,
              const Value& reply) {
  if (console.json()) {
    console.PrintJson(reply);
    return kFine;
  }
  view.Finish(ReadText(reply, "content"));
  for (const Value& call : ReadChild(reply, "tool_calls")) {
    console.Print("tool call " +
                  Printable(ReadText(call, "name") + " " + ReadText(call, "arguments")) + "\n");
  }
  const std::string wanted = ReadText(reply, "model_requested");
  if (ReadBool(reply, "fallback") && !wanted.empty() && !options.verbose) {
    console.Note("note: " +
                 Printable(ReadText(reply, "model") + " answered in place of " + wanted));
  }
  for (const std::string& warning : ReadTexts(reply, "warnings")) {
    console.Note("warning: " + Printable(warning));
  }
  if (options.verbose) console.Note(Summary(reply));
  return kFine;
}

int Chat(const Console& console, Daemon& daemon, const ChatOptions& options) {
  const std::string prompt = PromptOf(options);
  if (prompt.empty()) return console.FailUsage("there is no prompt: give one, or pipe it in");
  const auto body = ChatBody(options, prompt);
  if (!body) return console.FailUsage(body.error().message);
  const std::string id = Client::NewRequestId();
  const InterruptGuard guard([&daemon, id] { daemon.Cancel(id); });
  ChatView view(console);
  const auto reply = daemon.Chat(id, *body, [&view](const Value& event) {
    view.OnEvent(event);
    return true;
  });
  if (reply) return ShowReply(console, view, options, *reply);
  view.EndLine();
  return console.Fail(reply.error());
}

void AddChat(CommandSet& set) {
  CLI::App* command =
      set.Add("chat", "Send one request through the router and print the answer",
              "  routerctl chat \"Why is the sky blue?\"\n"
              "  git diff | routerctl chat --system \"Review this change\" --model gemini-2.5-pro\n"
              "  routerctl chat --conversation notes \"My name is Ada\"\n"
              "  routerctl chat --conversation notes \"What is my name?\"\n"
              "  routerctl chat --image cat.png \"What is this?\"\n"
              "Ctrl-C cancels the request; pressed again it leaves at once.");
  auto options = std::make_shared<ChatOptions>();
  command->add_option("PROMPT", options->prompt, "What to ask; without it or with -, from stdin");
  command->add_option("--model,-m", options->model, "The model wanted");
  command->add_option("--system,-s", options->system, "A system prompt");
  command->add_option("--conversation,-c", options->conversation,
                      "Continue or begin this conversation; without it nothing is remembered");
  command->add_option("--workload,-w", options->workload, "Choose a model by the size of the work")
      ->check(CLI::IsMember({"light", "medium", "heavy", "auto"}));
  command->add_option("--image,-i", options->images, "An image file or its https address; repeat")
      ->allow_extra_args(false);
  command->add_option("--max-output-tokens", options->max_output_tokens, "Limit of the answer")
      ->check(CLI::PositiveNumber);
  command->add_flag("--stream,!--no-stream", options->stream,
                    "Print the answer as it comes (the default; with --json a line an event)");
  command->add_flag("--verbose,-v", options->verbose, "Say which model and key answered");
  set.Run(command, [options, command](const Console& console, Daemon& daemon) {
    if (console.json() && command->count("--stream") == 0) options->stream = false;
    return Chat(console, daemon, *options);
  });
}

int ShowCancelled(const Console& console, const Value& body) {
  const bool cancelled = ReadBool(body, "cancelled");
  console.Print(cancelled ? "cancelled\n" : "no such request is running\n");
  return cancelled ? kFine : kRefused;
}

}  // namespace

void AddChatCommands(CommandSet& set) {
  AddChat(set);
  CLI::App* cancel = set.Add("cancel", "Cancel a request that waits or runs",
                             "  routerctl queue\n  routerctl cancel 4f1c2a…");
  auto id = std::make_shared<std::string>();
  cancel->add_option("ID", *id, "The request's id, as `routerctl queue` shows it")->required();
  set.Run(cancel, [id](const Console& console, Daemon& daemon) {
    return AskAndShow(console, daemon, "cancel", {{"id", *id}}, ShowCancelled);
  });
}

}  // namespace requestrouter::routerctl
