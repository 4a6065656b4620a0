#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "golden_messages.h"
#include "ipc/names.h"
#include "wire_dump.h"

// The bytes of every message of the protocol, in tests/golden/wire. A change of the wire shows as a
// change of these files. To write them anew, and then to read the difference:
//
//     REQUESTROUTER_WRITE_GOLDEN=1 ctest -R GoldenWriting
namespace requestrouter::ipc {
namespace {

namespace fs = std::filesystem;

fs::path PathOf(const std::string& name) { return fs::path(GOLDEN_DIR) / (name + ".hex"); }

std::string TextOfFile(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string GoldenBytes(const std::string& name) {
  const std::string bytes = ParseWire(TextOfFile(PathOf(name)));
  EXPECT_FALSE(bytes.empty()) << PathOf(name);
  return bytes;
}

void ExpectWritten(const std::string& name, const std::string& comment, const std::string& bytes) {
  const std::string text = DumpWire(comment, bytes);
  if (std::getenv("REQUESTROUTER_WRITE_GOLDEN")) std::ofstream(PathOf(name)) << text;
  EXPECT_EQ(text, TextOfFile(PathOf(name))) << name;
}

TEST(GoldenWriting, RequestsHaveTheseBytes) {
  for (const GoldenRequest& golden : GoldenRequests()) {
    ExpectWritten(golden.name, golden.comment, EncodeRequest(golden.request));
  }
}

TEST(GoldenWriting, RepliesHaveTheseBytes) {
  for (const GoldenReply& golden : GoldenReplies()) {
    ExpectWritten(golden.name, golden.comment, Encode(golden));
  }
}

// A request's every field that is not at its default is in its encoding, so two requests are equal
// if their encodings are.
TEST(GoldenReading, TheseBytesAreTheRequests) {
  for (const GoldenRequest& golden : GoldenRequests()) {
    const auto request = DecodeRequest(GoldenBytes(golden.name), Limits{});
    ASSERT_TRUE(request) << golden.name << ": " << request.error().error.message;
    EXPECT_EQ(request->body.index(), golden.request.body.index()) << golden.name;
    EXPECT_EQ(EncodeRequest(*request), EncodeRequest(golden.request)) << golden.name;
  }
}

TEST(GoldenReading, TheseBytesAreTheChatReplies) {
  for (const GoldenReply& golden : GoldenReplies()) {
    const auto* expected = std::get_if<ChatReply>(&golden.reply);
    if (!expected) continue;
    const auto reply = DecodeReply(GoldenBytes(golden.name), Limits{});
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_TRUE(reply->final);
    const auto chat = ChatReplyFromValue(std::get<Value>(reply->outcome));
    ASSERT_TRUE(chat) << chat.error().message;
    EXPECT_EQ(EncodeChatReply(reply->id, *chat), EncodeChatReply(kGoldenId, *expected));
  }
}

TEST(GoldenReading, TheseBytesAreTheOtherReplies) {
  for (const GoldenReply& golden : GoldenReplies()) {
    const auto* expected = std::get_if<Reply>(&golden.reply);
    if (!expected) continue;
    const auto reply = DecodeReply(GoldenBytes(golden.name), Limits{});
    ASSERT_TRUE(reply) << golden.name << ": " << reply.error().message;
    EXPECT_EQ(reply->id, expected->id) << golden.name;
    EXPECT_EQ(reply->final, expected->final) << golden.name;
    ASSERT_EQ(reply->outcome.index(), expected->outcome.index()) << golden.name;
    if (const auto* body = std::get_if<Value>(&expected->outcome)) {
      EXPECT_EQ(std::get<Value>(reply->outcome), *body) << golden.name;
      continue;
    }
    const Error& is = std::get<Error>(reply->outcome);
    const Error& was = std::get<Error>(expected->outcome);
    EXPECT_EQ(is.type, was.type) << golden.name;
    EXPECT_EQ(is.message, was.message) << golden.name;
    EXPECT_EQ(is.retry_after_ms, was.retry_after_ms) << golden.name;
    EXPECT_EQ(is.details, was.details) << golden.name;
    EXPECT_EQ(is.retryable, was.retryable) << golden.name;
  }
}

TEST(GoldenReading, TheseBytesArePiecesOfAnAnswer) {
  const auto body_of = [](const char* name) {
    const auto reply = DecodeReply(GoldenBytes(name), Limits{});
    EXPECT_TRUE(reply && !reply->final) << name;
    return reply ? std::get<Value>(reply->outcome) : Value();
  };
  EXPECT_EQ(body_of("delta_text"), (Value{{"seq", 0}, {"delta", {{"text", "Hi"}}}}));
  EXPECT_EQ(
      body_of("delta_tool_call"),
      (Value{
          {"seq", 1},
          {"delta",
           {{"text", "Let me look."},
            {"reasoning", "A picture."},
            {"tool_call",
             {{"index", 0}, {"id", "call-1"}, {"name", "look"}, {"arguments", "{\"zoom\""}}}}}}));
  EXPECT_EQ(
      body_of("progress_waiting"),
      (Value{{"seq", 0}, {"progress", {{"state", "waiting"}, {"position", 3}, {"eta_ms", 1500}}}}));
  EXPECT_EQ(body_of("progress_sent"),
            (Value{{"seq", 1}, {"progress", {{"state", "sent"}, {"attempt", 1}}}}));
  EXPECT_EQ(
      body_of("progress_retrying"),
      (Value{{"seq", 2}, {"progress", {{"state", "retrying"}, {"eta_ms", 500}, {"attempt", 2}}}}));
}

TEST(Golden, CoversEveryOperationAndEveryErrorType) {
  std::set<std::size_t> operations;
  for (const GoldenRequest& golden : GoldenRequests())
    operations.insert(golden.request.body.index());
  EXPECT_EQ(operations.size(), std::variant_size_v<Body>);
  std::set<ErrorType> types;
  for (const GoldenReply& golden : GoldenReplies()) {
    const auto* reply = std::get_if<Reply>(&golden.reply);
    const auto* error = reply ? std::get_if<Error>(&reply->outcome) : nullptr;
    if (error) types.insert(error->type);
  }
  EXPECT_EQ(types.size(), static_cast<std::size_t>(ErrorType::kInternalError) + 1);
}

TEST(Golden, HasNoFileThatNothingReads) {
  std::set<std::string> names;
  for (const GoldenRequest& golden : GoldenRequests()) names.insert(golden.name + ".hex");
  for (const GoldenReply& golden : GoldenReplies()) names.insert(golden.name + ".hex");
  for (const fs::directory_entry& file : fs::directory_iterator(GOLDEN_DIR)) {
    EXPECT_TRUE(names.contains(file.path().filename())) << file.path();
  }
}

// The worked example of ipc/PROTOCOL.md: its code blocks of hex are these files.
TEST(Golden, TheWorkedExampleOfTheDocumentHasTheseBytes) {
  const std::string document = TextOfFile(PROTOCOL_FILE);
  for (const char* name : {"request_chat", "reply_chat"}) {
    const std::string file = TextOfFile(PathOf(name));
    EXPECT_THAT(document, ::testing::HasSubstr("```\n" + file + "```\n")) << name;
  }
}

}  // namespace
}  // namespace requestrouter::ipc
