#include "daemon/upstream/sketch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

using ipc::Role;
using ::testing::HasSubstr;
using ::testing::Optional;

std::optional<std::string> WhyNotOf(const Asking& asking) {
  return WhyNot(asking.attempt.provider, asking.attempt.model,
                std::make_shared<const Prompt>(SketchOf(*asking.prompt)));
}

TEST(Sketch, KeepsOfPlainTextNoMoreThanOneWord) {
  Asking asking = AskAnthropic().Messages(
      {Says(Role::kSystem, std::string(1 << 20, 's')), Says(Role::kUser, std::string(1 << 20, 'u')),
       Says(Role::kAssistant, "Hello."), Says(Role::kUser, "Bye")});
  const Prompt sketch = SketchOf(*asking.prompt);
  ASSERT_EQ(sketch.messages.size(), 1u);
  EXPECT_EQ(ipc::TextOf(sketch.messages[0]), "x");
  EXPECT_EQ(WhyNotOf(asking), std::nullopt);
}

// The rule that saves sketches must not hide a refusal: whatever is plain, no provider refuses.
TEST(Sketch, IsSavedForPlainTextOnly) {
  for (Asking asking : {AskAnthropic(), AskOpenAi(), AskGemini()}) {
    EXPECT_TRUE(IsPlain(*asking.prompt));
    EXPECT_EQ(WhyNotOf(asking), std::nullopt);
    asking.options().temperature = 1.5;
    EXPECT_FALSE(IsPlain(*asking.prompt));
  }
  EXPECT_FALSE(IsPlain(*AskGemini().Messages({Says(Role::kUser, " ")}).prompt));
  EXPECT_FALSE(IsPlain(*AskGemini().Messages({Says(Role::kSystem, "Be brief.")}).prompt));
  EXPECT_FALSE(IsPlain(*AskGemini().Messages({Shows({"image/png", "p", ""})}).prompt));
}

TEST(Sketch, KeepsOfAPictureItsKindAndNotItsBytes) {
  const ipc::ImagePart picture{"image/bmp", std::string(1 << 20, 'p'), ""};
  const Asking anthropic = AskAnthropic().Messages({Shows(picture)});
  const Prompt sketch = SketchOf(*anthropic.prompt);
  EXPECT_EQ(std::get<ipc::ImagePart>(sketch.messages.at(0).parts.at(1)).data.size(), 1u);
  EXPECT_THAT(WhyNotOf(anthropic), Optional(HasSubstr("image.mime_type")));
  EXPECT_EQ(WhyNotOf(AskGemini().Messages({Shows(picture)})), std::nullopt);
}

TEST(Sketch, IsRefusedForWhatTheProviderDoesNotHave) {
  for (Asking asking : {AskAnthropic(), AskOpenAi(), AskGemini()}) {
    asking.options().response_format.kind = ipc::ResponseFormat::Kind::kJsonObject;
    const bool lacks = asking.attempt.provider->kind == ProviderKind::kAnthropic;
    EXPECT_EQ(WhyNotOf(asking).has_value(), lacks);
  }
}

TEST(Sketch, AnEmptyPromptStaysEmpty) {
  EXPECT_THAT(WhyNotOf(AskGemini().Messages({Says(Role::kUser, " ")})),
              Optional(HasSubstr("messages")));
}

TEST(Sketch, CallsAndTheirResultsStayTogether) {
  const Asking asking = AskOpenAi().Messages(
      {Says(Role::kUser, "Hi"), Calls({Call("c1", "f", R"({"a":1})")}), Result("c1", "done")});
  EXPECT_EQ(SketchOf(*asking.prompt).messages.size(), 3u);
  EXPECT_EQ(WhyNotOf(asking), std::nullopt);
}

}  // namespace
}  // namespace requestrouter::upstream
