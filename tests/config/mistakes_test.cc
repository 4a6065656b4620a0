#include <fstream>
#include <iterator>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/json_tree.h"
#include "tests/config/load_support.h"

// Every mistake with the exact words that are said about it.
namespace requestrouter::config {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

struct Row {
  std::string text;
  std::vector<std::string> lines;
};

void ExpectErrors(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const Result result = LoadText(row.text);
    EXPECT_FALSE(result.ok) << row.text;
    EXPECT_THAT(result.lines, ElementsAreArray(row.lines)) << row.text;
  }
}

void ExpectWarnings(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const Result result = LoadText(row.text);
    EXPECT_TRUE(result.ok) << row.text;
    EXPECT_THAT(result.lines, ElementsAreArray(row.lines)) << row.text;
  }
}

TEST(Mistakes, AreToldTogetherWithWarnings) {
  const Result result = LoadText(KeyWith("\"api_key\": \"s\",\n\"rpm\": -1"));
  EXPECT_FALSE(result.ok);
  EXPECT_THAT(result.lines,
              ElementsAre("keys.json:4: keys[0].rpm: must be a positive whole number, is -1"));
  EXPECT_THAT(
      result.warnings,
      ElementsAre("keys.json:3: keys[0].api_key: secrets are not read from this file; remove "
                  "it and set API_KEY_a in the environment or the .env file"));
}

TEST(Mistakes, InTheSyntaxNameLineAndColumn) {
  ExpectErrors({
      {"", {"keys.json: is empty; write {\"keys\": []} to begin with"}},
      {" \n\t", {"keys.json: is empty; write {\"keys\": []} to begin with"}},
      {"{", {"keys.json:1:1: unexpected end of input; expected string literal"}},
      {"{\"keys\": [],\n}",
       {"keys.json:2:1: unexpected '}'; expected string literal (remove the comma before it)"}},
      {"{\"keys\": [1,\n  ]}",
       {"keys.json:2:3: unexpected ']'; expected '[', '{', or a literal (remove the comma before "
        "it)"}},
      {"{\n  \"keys\": []\n  \"config\": {}\n}",
       {"keys.json:3:3: unexpected string literal; expected ',' or '}'"}},
      {"{\n  \"keys\" []}", {"keys.json:2:10: unexpected '['; expected ':'"}},
      {"{\"keys\": [{} {}]}", {"keys.json:1:14: unexpected '{'; expected ',' or ']'"}},
      {"// keys\n{}", {"keys.json:1:1: invalid literal (JSON has no comments)"}},
      {"{\n# keys\n}",
       {"keys.json:2:1: invalid literal; expected string literal (JSON has no comments)"}},
      {"{'keys': []}",
       {"keys.json:1:2: invalid literal; expected string literal (JSON strings are in double "
        "quotes)"}},
      {"{\"keys\": True}",
       {"keys.json:1:10: invalid literal (JSON writes true, false and null in lower case)"}},
      {"{\"keys\": \"sk-secret\n\"}",
       {"keys.json:1:19: invalid string: control character U+000A (LF) must be escaped to \\u000A "
        "or \\n"}},
      {"{} {}", {"keys.json:1:4: unexpected '{'; expected end of input"}},
      {"{\"a\": 1e999}", {"keys.json:1:7: the number is too large"}},
      {"{\"a\": \"\xff\"}", {"keys.json:1:8: invalid string: ill-formed UTF-8 byte"}},
      {std::string("\xff\xfe{\0}\0", 6), {"keys.json:1:1: is UTF-16 text; save it as UTF-8"}},
      {"keys:\n  - key_id: a\n",
       {"keys.json:1:1: invalid literal (this is not JSON, which begins with '{')"}},
      {"{\"a\": NaN}", {"keys.json:1:7: invalid literal (a number is needed)"}},
      {std::string(33, '['), {"keys.json:1:33: nested deeper than 32 levels"}},
  });
}

TEST(Mistakes, InTheFilesShape) {
  ExpectErrors({
      {"[]", {"keys.json: must hold an object such as {\"keys\": [...]}, holds an array"}},
      {"{\"keys\": {}}", {"keys.json:1: keys: must be an array of keys, is an object"}},
      {"{\"keys\":\n[\"a\"]}", {"keys.json:2: keys[0]: must be an object, is \"a\""}},
      {FileWith("\"config\": []"), {"keys.json:2: config: must be an object, is an array"}},
      {FileWith("\"providers\": 1"), {"keys.json:2: providers: must be an object, is 1"}},
      {FileWith("\"models\": \"m\""), {"keys.json:2: models: must be an object, is \"m\""}},
      {KeyWith("\"rpm\": 1,\n\"rpm\": 2"),
       {"keys.json:4: keys[0].rpm: is set twice, first on line 3; remove one"}},
  });
}

TEST(Mistakes, InLimits) {
  const std::string unlimited = "; leave it out for no limit, or set \"active\" to false";
  ExpectErrors({
      {KeyWith("\"rpm\": -5"),
       {"keys.json:3: keys[0].rpm: must be a positive whole number, is -5"}},
      {KeyWith("\"rpm\": 0"),
       {"keys.json:3: keys[0].rpm: must be a positive whole number, is 0" + unlimited}},
      {KeyWith("\"rpm\": 2.5"),
       {"keys.json:3: keys[0].rpm: must be a positive whole number, is 2.5"}},
      {KeyWith("\"rpm\": \"10\""),
       {"keys.json:3: keys[0].rpm: must be a positive whole number, is \"10\"; remove the quotes"}},
      {KeyWith("\"rpm\": \"ten\""),
       {"keys.json:3: keys[0].rpm: must be a positive whole number, is \"ten\""}},
      {KeyWith("\"rpm\": true"),
       {"keys.json:3: keys[0].rpm: must be a positive whole number, is true"}},
      {KeyWith("\"rpm\": [10]"),
       {"keys.json:3: keys[0].rpm: must be a positive whole number, is an array"}},
      {KeyWith("\"rpm\": 1000000001"),
       {"keys.json:3: keys[0].rpm: must be at most 1000000000, is 1000000001"}},
      {KeyWith("\"tpm\": 99999999999999999999"),
       {"keys.json:3: keys[0].tpm: must be at most 1000000000000, is 99999999999999999999"}},
      {KeyWith("\"itpm\": -1"),
       {"keys.json:3: keys[0].itpm: must be a positive whole number, is -1"}},
      {KeyWith("\"otpm\": {}"),
       {"keys.json:3: keys[0].otpm: must be a positive whole number, is an object"}},
      {KeyWith("\"rpd\": 0.5"),
       {"keys.json:3: keys[0].rpd: must be a positive whole number, is 0.5"}},
      {KeyWith("\"tpd\": 0"),
       {"keys.json:3: keys[0].tpd: must be a positive whole number, is 0" + unlimited}},
      {KeyWith("\"max_in_flight\": 1000001"),
       {"keys.json:3: keys[0].max_in_flight: must be at most 1000000, is 1000001"}},
      {KeyWith("\"window_seconds\": 0"),
       {"keys.json:3: keys[0].window_seconds: must be a positive whole number, is 0; leave it out "
        "for 60"}},
      {KeyWith("\"rpm\": \"10 per minute\""),
       {"keys.json:3: keys[0].rpm: must be a positive whole number, is \"10 per minute\""}},
      {KeyWith("\"window_seconds\": 86401"),
       {"keys.json:3: keys[0].window_seconds: must be at most 86400, is 86401"}},
  });
}

TEST(Mistakes, InAKey) {
  ExpectErrors({
      {"{\"keys\": [\n{\"provider\": \"gemini\", \"model_name\": \"m\"}]}",
       {"keys.json:2: keys[0]: key_id is needed: a name of your choice"}},
      {"{\"keys\": [{\"key_id\": \"a\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0]: provider is needed, such as \"gemini\""}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"gemini\"}]}",
       {"keys.json:1: keys[0]: model_name or models is needed"}},
      {"{\"keys\": [{\"id\": \"a\", \"Provider\": \"gemini\", \"model\": \"m\"}]}",
       {"keys.json:1: keys[0]: key_id is needed: a name of your choice; rename \"id\" to "
        "\"key_id\"",
        "keys.json:1: keys[0]: provider is needed, such as \"gemini\"; rename \"Provider\" to "
        "\"provider\"",
        "keys.json:1: keys[0]: model_name or models is needed; rename \"model\" to "
        "\"model_name\""}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"google\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].provider: unknown provider \"google\"; did you mean \"gemini\"?"}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"Claude\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].provider: unknown provider \"Claude\"; did you mean \"anthropic\"?"}},
      {KeyWith("\"tags\": {\"priority\": \"1\"}"),
       {"keys.json:3: keys[0].tags.priority: must be \"high\", \"medium\", \"low\" or a whole "
        "number, is \"1\"; remove the quotes"}},
      {"{\"keys\": [{\"key_id\": \"\", \"provider\": \"gemini\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].key_id: must be a text that is not empty, is \"\""}},
      {"{\"keys\": [{\"key_id\": 7, \"provider\": \"gemini\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].key_id: must be a text that is not empty, is 7"}},
      {"{\"keys\": [{\"key_id\": \"a/b\", \"provider\": \"gemini\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].key_id: must be of letters, digits and \"_-.:@+\" and begin with a "
        "letter or digit, is \"a/b\""}},
      {"{\"keys\": [{\"key_id\": \"" + std::string(129, 'a') +
           "\", \"provider\": \"gemini\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].key_id: is longer than 128 bytes"}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"gemni\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].provider: unknown provider \"gemni\"; did you mean \"gemini\"?"}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"acme\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].provider: unknown provider \"acme\"; describe it in \"providers\" "
        "(kind, base_url)"}},
      {KeyWith("\"active\": \"true\""),
       {"keys.json:3: keys[0].active: must be true or false, is \"true\"; remove the quotes"}},
      {KeyWith("\"active\": 1"), {"keys.json:3: keys[0].active: must be true or false, is 1"}},
      {KeyWith("\"tags\": [\"light\"]"),
       {"keys.json:3: keys[0].tags: must be an object, is an array"}},
      {KeyWith("\"tags\": {\"workload\": \"hevy\"}"),
       {"keys.json:3: keys[0].tags.workload: must be \"light\", \"medium\" or \"heavy\", is "
        "\"hevy\"; did you mean \"heavy\"?"}},
      {KeyWith("\"tags\": {\"priority\": \"hihg\"}"),
       {"keys.json:3: keys[0].tags.priority: must be \"high\", \"medium\", \"low\" or a whole "
        "number, is \"hihg\"; did you mean \"high\"?"}},
      {KeyWith("\"tags\": {\"priority\": 1.5}"),
       {"keys.json:3: keys[0].tags.priority: must be a whole number from -1000000 to 1000000, is "
        "1.5"}},
      {KeyWith("\"tags\": {\"workload\": [\"light\"]}"),
       {"keys.json:3: keys[0].tags.workload: must be \"light\", \"medium\" or \"heavy\", is an "
        "array"}},
      {KeyWith("\"tags\": {\"priority\": true}"),
       {"keys.json:3: keys[0].tags.priority: must be \"high\", \"medium\", \"low\" or a whole "
        "number, is true"}},
      {KeyWith("\"tags\": {\"priority\": 9999999999}"),
       {"keys.json:3: keys[0].tags.priority: must be at most 1000000, is 9999999999"}},
      {KeyWith("\"quota_group\": 5"),
       {"keys.json:3: keys[0].quota_group: must be a text that is not empty, is 5"}},
      {KeyWith("\"quota_group\": \"team a\""),
       {"keys.json:3: keys[0].quota_group: must not hold spaces or control characters, is "
        "\"team a\""}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"gemini\", \"model_name\": \"m x\"}]}",
       {"keys.json:1: keys[0].model_name: must not hold spaces or control characters, is \"m x\""}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"gemini\", \"model_name\": 5}]}",
       {"keys.json:1: keys[0].model_name: must be a text that is not empty, is 5"}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": 5, \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].provider: must be a text that is not empty, is 5"}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"Gemini\", \"model_name\": \"m\"}]}",
       {"keys.json:1: keys[0].provider: unknown provider \"Gemini\"; did you mean \"gemini\"?"}},
      {KeyWith("\"models\": [\"n n\"]"),
       {"keys.json:3: keys[0].models[0]: must not hold spaces or control characters, is \"n n\""}},
      {KeyWith("\"models\": [{\"name\": \"n\\t\"}]"),
       {"keys.json:3: keys[0].models[0].name: must not hold spaces or control characters, is "
        "\"n?\""}},
      {KeyWith("\"models\": [{\"name\": 5}]"),
       {"keys.json:3: keys[0].models[0].name: must be a text that is not empty, is 5"}},
      {KeyWith("\"models\": {}"), {"keys.json:3: keys[0].models: must be an array, is an object"}},
      {KeyWith("\"quota_group\": \"\""),
       {"keys.json:3: keys[0].quota_group: must be a text that is not empty, is \"\""}},
      {KeyWith("\"models\": \"m\""), {"keys.json:3: keys[0].models: must be an array, is \"m\""}},
      {KeyWith("\"models\": [\n{\"rpm\": 5}]"), {"keys.json:4: keys[0].models[0]: name is needed"}},
      {KeyWith("\"models\": [\n7]"),
       {"keys.json:4: keys[0].models[0]: must be a model's name or an object with one, is 7"}},
      {KeyWith("\"models\": [{\"name\": \"n\", \"rpm\": -1}]"),
       {"keys.json:3: keys[0].models[0].rpm: must be a positive whole number, is -1"}},
      {KeyWith("\"models\": [\"m\"]"),
       {"keys.json:3: keys[0].models[0]: model \"m\" is named twice"}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"gemini\", \"models\": []}]}",
       {"keys.json:1: keys[0].models: is empty; name a model"}},
  });
}

TEST(Mistakes, InWhereASecretComesFromNeverShowIt) {
  const std::string form =
      "must say where the secret comes from, never the secret itself: \"env:NAME\", "
      "\"file:/path\", \"credential:NAME\", \"vault:mount/path\" or \"command:...\"";
  const std::string one =
      "must name one source: \"env\", \"file\", \"credential\", \"vault\" or \"command\"";
  ExpectErrors({
      {KeyWith("\"secret\": \"sk-0123456789\""), {"keys.json:3: keys[0].secret: " + form}},
      {KeyWith("\"secret\": 5"), {"keys.json:3: keys[0].secret: " + form}},
      {KeyWith("\"secret\": {}"), {"keys.json:3: keys[0].secret: " + one}},
      {KeyWith("\"secret\": {\"env\": \"A\", \"file\": \"/b\"}"),
       {"keys.json:3: keys[0].secret: " + one}},
      {KeyWith("\"secret\": {\"file\": \"\"}"),
       {"keys.json:3: keys[0].secret.file: must be a text that is not empty, is \"\""}},
      {KeyWith("\"secret\": {\"credential\": \"/etc/key\"}"),
       {"keys.json:3: keys[0].secret.credential: is a credential's name, not a path; use \"file\" "
        "for paths"}},
      {KeyWith("\"secret\": []"), {"keys.json:3: keys[0].secret: " + form}},
      {KeyWith("\"secret\": {\"comand\": \"x\"}"), {"keys.json:3: keys[0].secret: " + one}},
      {KeyWith("\"secret\": \"command\""), {"keys.json:3: keys[0].secret: names no command"}},
  });
}

TEST(Mistakes, BetweenKeys) {
  const std::string a = "{\"key_id\": \"a\", \"provider\": \"gemini\", \"model_name\": \"m\", ";
  const std::string b = "{\"key_id\": \"b\", \"provider\": \"gemini\", \"model_name\": \"m\", ";
  const std::string c = "{\"key_id\": \"c\", \"provider\": \"groq\", \"model_name\": \"n\", ";
  ExpectErrors({
      {"{\"keys\": [\n" + a + "\"rpm\": 1},\n" + a + "\"rpm\": 1}]}",
       {"keys.json:3: keys[1].key_id: duplicate key_id \"a\", first on line 2; give each key its "
        "own"}},
      {"{\"keys\": [\n" + a + "\"rpm\": 5, \"quota_group\": \"g\"},\n" + b +
           "\"rpm\": 6, \"quota_group\": \"g\"}]}",
       {"keys.json:3: keys[1]: other limits for \"m\" than keys[0] (line 2) of the same quota "
        "group \"g\"; a group shares one quota, so make them equal"}},
      {"{\"keys\": [\n" + a + "\"rpm\": 5, \"quota_group\": \"g\"},\n" + b +
           "\"quota_group\": \"g\"}]}",
       {"keys.json:3: keys[1]: other limits for \"m\" than keys[0] (line 2) of the same quota "
        "group \"g\"; a group shares one quota, so make them equal"}},
      {"{\"keys\": [\n" + a + "\"quota_group\": \"g\"},\n" + c + "\"quota_group\": \"g\"}]}",
       {"keys.json:3: keys[1].quota_group: quota group \"g\" is of provider \"gemini\" at keys[0], "
        "but this key is of \"groq\""}},
  });
}

TEST(Mistakes, InAProvider) {
  ExpectErrors({
      {FileWith("\"providers\": {\n\"acme\": {\"base_url\": \"https://acme.example/v1\"}}"),
       {"keys.json:3: providers.acme: kind is needed for a provider that is not built in: "
        "\"gemini\", \"openai\" (and everything compatible) or \"anthropic\""}},
      {FileWith("\"providers\": {\n\"acme\": {\"kind\": \"openai\"}}"),
       {"keys.json:3: providers.acme: base_url is needed for a provider that is not built in"}},
      {ProviderWith("\"rpd_reset\": \"midnight\""),
       {"keys.json:3: providers.local.rpd_reset: must be \"pacific_midnight\", \"utc_midnight\" or "
        "\"rolling_24h\", is \"midnight\""}},
      {ProviderWith("\"counts\": \"inputs\""),
       {"keys.json:3: providers.local.counts: must be \"input\", \"input+output\" or "
        "\"input+max_output\", is \"inputs\"; did you mean \"input\"?"}},
      {ProviderWith("\"burst\": 5"),
       {"keys.json:3: providers.local.burst: must be \"window\" or \"smooth\", is 5"}},
      {ProviderWith("\"cached_counts\": \"no\""),
       {"keys.json:3: providers.local.cached_counts: must be true or false, is \"no\""}},
      {ProviderWith("\"idle_timeout_ms\": 0"),
       {"keys.json:3: providers.local.idle_timeout_ms: must be a positive whole number, is 0"}},
      {ProviderWith("\"headers\": {\"Authorization\": \"Bearer hidden\"}"),
       {"keys.json:3: providers.local.headers.Authorization: secrets do not belong in this file; "
        "remove it (each key's secret is sent by itself)"}},
      {ProviderWith("\"headers\": {\"X Y\": \"z\"}"),
       {"keys.json:3: providers.local.headers.X Y: is not the name of an HTTP header"}},
      {ProviderWith("\"headers\": {\"X-Y\": \"a\\r\\nb\"}"),
       {"keys.json:3: providers.local.headers.X-Y: must not hold control characters"}},
      {ProviderWith("\"headers\": {\"X-Y\": 1}"),
       {"keys.json:3: providers.local.headers.X-Y: must be a text, is 1"}},
      {ProviderWith("\"headers\": {\"Content-Length\": \"1\"}"),
       {"keys.json:3: providers.local.headers.Content-Length: is set by routerd; remove it"}},
      {FileWith("\"providers\": {\"gemini\": 5}"),
       {"keys.json:2: providers.gemini: must be an object, is 5"}},
      {FileWith("\"providers\": {\"gemini\": {\"kind\": \"google\"}}"),
       {"keys.json:2: providers.gemini.kind: must be \"gemini\", \"openai\" or \"anthropic\", is "
        "\"google\""}},
      {FileWith("\"providers\": {\"gemini\": {\"headers\": []}}"),
       {"keys.json:2: providers.gemini.headers: must be an object, is an array"}},
      {FileWith("\"providers\": {\"gemini\": {\"headers\": {\"x-goog-api-key\": \"hidden\"}}}"),
       {"keys.json:2: providers.gemini.headers.x-goog-api-key: secrets do not belong in this file; "
        "remove it (each key's secret is sent by itself)"}},
      {ProviderWith("\"connect_timeout_ms\": 99999999999"),
       {"keys.json:3: providers.local.connect_timeout_ms: must be at most 86400000, is "
        "99999999999"}},
      {FileWith("\"providers\": {\"a b\": {}}"),
       {"keys.json:2: providers.a b: a provider's name must be of letters, digits, '-' and '_'"}},
  });
}

TEST(Mistakes, InABaseUrl) {
  const auto with = [](const std::string& url) {
    return FileWith("\"providers\": {\"gemini\": {\"base_url\": \"" + url + "\"}}");
  };
  const std::string at = "keys.json:2: providers.gemini.base_url: ";
  ExpectErrors({
      {with("ftp://host/"), {at + "must begin with https:// or http://"}},
      {with("generativelanguage.googleapis.com"), {at + "must begin with https:// or http://"}},
      {with("https://"),
       {at + "is not a URL such as https://api.example.com/v1: No host part in the URL"}},
      {with("http://host:99999"),
       {at + "is not a URL such as https://api.example.com/v1: Port number was not a decimal "
             "number between 0 and 65535"}},
      {with("https://ho st/"), {at + "is not a URL: it holds a space or control character"}},
      {with("https://user:hidden@host/"),
       {at + "must not hold a user name or password; secrets are sent in headers"}},
      {with("https://host/?key=hidden"),
       {at + "must not hold '?' or '#': paths are appended to it, and keys are sent in headers"}},
      {with("https://host/#x"),
       {at + "must not hold '?' or '#': paths are appended to it, and keys are sent in headers"}},
      {with(""), {at + "must be a text that is not empty, is \"\""}},
  });
}

TEST(Mistakes, InAModel) {
  ExpectErrors({
      {FileWith("\"models\": {\"m\": {\"context_tokens\": 0}}"),
       {"keys.json:2: models.m.context_tokens: must be a positive whole number, is 0"}},
      {FileWith("\"models\": {\"m\": {\"input_usd_per_mtok\": -1}}"),
       {"keys.json:2: models.m.input_usd_per_mtok: must be a number from 0 to 1000000, is -1"}},
      {FileWith("\"models\": {\"m\": {\"capabilities\": [\"image\"]}}"),
       {"keys.json:2: models.m.capabilities: unknown capability \"image\"; there are tools, json, "
        "json_schema, images, reasoning and streaming; did you mean \"images\"?"}},
      {FileWith("\"models\": {\"m\": 5}"), {"keys.json:2: models.m: must be an object, is 5"}},
      {FileWith("\"models\": {\"m\": {\"output_usd_per_mtok\": \"1\"}}"),
       {"keys.json:2: models.m.output_usd_per_mtok: must be a number from 0 to 1000000, is "
        "\"1\"; remove the quotes"}},
      {FileWith("\"models\": {\"m\": {\"capabilities\": [1]}}"),
       {"keys.json:2: models.m.capabilities[0]: must be a text that is not empty, is 1"}},
      {FileWith("\"models\": {\"m\": {\"capabilities\": \"tools\"}}"),
       {"keys.json:2: models.m.capabilities: must be an array of texts, is \"tools\""}},
  });
}

TEST(Mistakes, InASetting) {
  ExpectErrors({
      {ConfigWith("\"max_retries\": -1"),
       {"keys.json:3: config.max_retries: must be a whole number from 0 to 100, is -1"}},
      {ConfigWith("\"max_retries\": 101"),
       {"keys.json:3: config.max_retries: must be at most 100, is 101"}},
      {ConfigWith("\"base_backoff_ms\": \"500\""),
       {"keys.json:3: config.base_backoff_ms: must be a positive whole number, is \"500\"; remove "
        "the quotes"}},
      {ConfigWith("\"base_backoff_ms\": 500,\n\"max_backoff_ms\": 100"),
       {"keys.json:4: config.max_backoff_ms: base_backoff_ms (500) is above max_backoff_ms (100); "
        "lower one or raise the other"}},
      {ConfigWith("\"auto_medium_tokens\": 500,\n\"auto_heavy_tokens\": 100"),
       {"keys.json:4: config.auto_heavy_tokens: auto_heavy_tokens (100) is below "
        "auto_medium_tokens (500); raise one or lower the other"}},
      {ConfigWith("\"enable_fallback\": \"yes\""),
       {"keys.json:3: config.enable_fallback: must be true or false, is \"yes\""}},
      {ConfigWith("\"conversation_ttl_seconds\": 0"),
       {"keys.json:3: config.conversation_ttl_seconds: must be a positive whole number, is 0"}},
      {ConfigWith("\"durability\": \"fast\""),
       {"keys.json:3: config.durability: must be \"full\" or \"process\", is \"fast\""}},
      {ConfigWith("\"log_level\": \"verbose\""),
       {"keys.json:3: config.log_level: must be \"trace\", \"debug\", \"info\", \"warning\", "
        "\"error\", \"critical\" or \"off\", is \"verbose\""}},
      {ConfigWith("\"log_format\": \"jsno\""),
       {"keys.json:3: config.log_format: must be \"text\" or \"json\", is \"jsno\"; did you mean "
        "\"json\"?"}},
      {ConfigWith("\"log_file\": \"routerd.log\""),
       {"keys.json:3: config.log_file: must be an absolute path, is \"routerd.log\""}},
      {ConfigWith("\"log_file_bytes\": 10"),
       {"keys.json:3: config.log_file_bytes: must be a whole number from 4096 to 1073741824, is "
        "10"}},
      {ConfigWith("\"metrics_listen\": \"0.0.0.0:9464\""),
       {"keys.json:3: config.metrics_listen: must be a loopback address and a port, such as "
        "\"127.0.0.1:9464\" or \"[::1]:9464\", because metrics are served to whoever can connect; "
        "is \"0.0.0.0:9464\""}},
      {ConfigWith("\"secret_store\": \"valut\""),
       {"keys.json:3: config.secret_store: must be \"env\", \"file\", \"credential\", \"vault\" or "
        "\"command\", is \"valut\"; did you mean \"vault\"?"}},
      {ConfigWith("\"secret_store\": \"command\""),
       {"keys.json:3: config.secret_store: \"command\" needs config.secret_command, a program "
        "that prints the secret of the key named by $KEY_ID"}},
      {ConfigWith("\"secret_directory\": \"secrets\""),
       {"keys.json:3: config.secret_directory: must be an absolute path, is \"secrets\""}},
      {ConfigWith("\"workload_model_mapping\": {\"hevy\": []}"),
       {"keys.json:3: config.workload_model_mapping.hevy: is not a workload; use \"light\", "
        "\"medium\" or \"heavy\"; did you mean \"heavy\"?"}},
      {ConfigWith("\"workload_model_mapping\": {\"heavy\": \"m\"}"),
       {"keys.json:3: config.workload_model_mapping.heavy: must be an array of texts, is \"m\""}},
      {ConfigWith("\"workload_model_mapping\": {\"heavy\": [\n1]}"),
       {"keys.json:4: config.workload_model_mapping.heavy[0]: must be a text that is not empty, is "
        "1"}},
      {ConfigWith("\"admin_group\": 7"),
       {"keys.json:3: config.admin_group: must be a text that is not empty, is 7"}},
      {ConfigWith("\"admin_group\": \"\""),
       {"keys.json:3: config.admin_group: must be a text that is not empty, is \"\""}},
      {ConfigWith("\"log_level\": 5"),
       {"keys.json:3: config.log_level: must be a text that is not empty, is 5"}},
      {ConfigWith("\"durability\": true"),
       {"keys.json:3: config.durability: must be \"full\" or \"process\", is true"}},
      {ConfigWith("\"max_nesting\": 1000"),
       {"keys.json:3: config.max_nesting: must be at most 128, is 1000"}},
      {ConfigWith("\"result_ttl_seconds\": 1e9"),
       {"keys.json:3: config.result_ttl_seconds: must be at most 31622400, is 1e9"}},
      {ConfigWith("\"secret_command\": \"\""),
       {"keys.json:3: config.secret_command: must be a text that is not empty, is \"\""}},
      {ConfigWith("\"workload_model_mapping\": []"),
       {"keys.json:3: config.workload_model_mapping: must be an object, is an array"}},
      {ConfigWith("\"max_payload_bytes\": 100"),
       {"keys.json:3: config.max_payload_bytes: must be a whole number from 4096 to 1073741824, is "
        "100"}},
  });
}

TEST(Mistakes, InARuleForCallersOrAgents) {
  ExpectErrors({
      {FileWith("\"callers\": {}"),
       {"keys.json:2: callers: must be an array of objects, is an object"}},
      {FileWith("\"callers\": [1]"), {"keys.json:2: callers[0]: must be an object, is 1"}},
      {FileWith("\"callers\": [{\"uid\": -1}]"),
       {"keys.json:2: callers[0].uid: must be a whole number from 0 to 4294967294, is -1"}},
      {FileWith("\"callers\": [{\"uid\": \"no-such-user\"}]"),
       {"keys.json:2: callers[0].uid: there is no such name here: \"no-such-user\""}},
      {FileWith("\"callers\": [{\"uid\": \"4242424\"}]"),
       {"keys.json:2: callers[0].uid: there is no such name here: \"4242424\"; remove the quotes"}},
      {FileWith("\"agents\": {\"x\": {\"weight\": \"1.5\"}}"),
       {"keys.json:2: agents.x.weight: must be a number from 0 to 1000000, is \"1.5\"; remove the "
        "quotes"}},
      {FileWith("\"callers\": [{\"group\": \"no-such-group\"}]"),
       {"keys.json:2: callers[0].group: there is no such name here: \"no-such-group\""}},
      {FileWith("\"callers\": [{\"uid\": 1, \"group\": 1}]"),
       {"keys.json:2: callers[0].group: a rule names a uid or a group, not both; make two of it"}},
      {FileWith("\"callers\": [{\"models\": \"m\"}]"),
       {"keys.json:2: callers[0].models: must be an array of texts, is \"m\""}},
      {FileWith("\"callers\": [{\"tokens_per_day\": 0}]"),
       {"keys.json:2: callers[0].tokens_per_day: must be a positive whole number, is 0"}},
      {FileWith("\"callers\": [{\"usd_per_day\": -1}]"),
       {"keys.json:2: callers[0].usd_per_day: must be a number from 0 to 1000000, is -1"}},
      {FileWith("\"callers\": [{\"uid\": 1, \"weight\": 0}]"),
       {"keys.json:2: callers[0].weight: must be above 0"}},
      {FileWith("\"callers\": [{\"group\": 1, \"weight\": 2}]"),
       {"keys.json:2: callers[0].weight: is of a uid; name it in \"uid\""}},
      {FileWith("\"agents\": []"), {"keys.json:2: agents: must be an object, is an array"}},
      {FileWith("\"agents\": {\"x\": 5}"), {"keys.json:2: agents.x: must be an object, is 5"}},
      {FileWith("\"agents\": {\"x\": {\"weight\": 0}}"),
       {"keys.json:2: agents.x.weight: must be above 0"}},
  });
}

TEST(Mistakes, InAVariable) {
  struct VariableRow {
    std::string name, value, line;
  };
  const auto command = [](const std::string& store, const std::string& program) {
    return "environment: SECRET_STORE_TYPE: \"" + store +
           "\" is not built in; use \"command\" with a program that prints the secret, for example "
           "\"secret_command\": \"" +
           program + "\"";
  };
  const std::vector<VariableRow> rows = {
      {"LLM_MAX_RETRIES", "x",
       "environment: LLM_MAX_RETRIES: must be a whole number from 0 to 100, is \"x\""},
      {"LLM_MAX_RETRIES", "-1",
       "environment: LLM_MAX_RETRIES: must be a whole number from 0 to 100, is \"-1\""},
      {"LLM_MAX_RETRIES", " 3",
       "environment: LLM_MAX_RETRIES: must be a whole number from 0 to 100, is \" 3\""},
      {"USER_RPM_DEFAULT", "1.5",
       "environment: USER_RPM_DEFAULT: must be a whole number from 0 to 1000000000, is \"1.5\""},
      {"CONVERSATION_TTL_SECONDS", "0",
       "environment: CONVERSATION_TTL_SECONDS: must be a positive whole number, is \"0\""},
      {"LOG_LEVEL", "loud",
       "environment: LOG_LEVEL: must be \"trace\", \"debug\", \"info\", \"warning\", \"error\", "
       "\"critical\" or \"off\", is \"loud\""},
      {"SECRET_STORE_TYPE", "aws",
       command("aws",
               "aws secretsmanager get-secret-value --secret-id $KEY_ID --query SecretString "
               "--output text")},
      {"SECRET_STORE_TYPE", "azure",
       command("azure",
               "az keyvault secret show --vault-name VAULT --name $KEY_ID --query value --output "
               "tsv")},
      {"ROUTERD_GEMINI_BASE_URL", "x",
       "environment: ROUTERD_GEMINI_BASE_URL: must begin with https:// or http://"},
  };
  for (const VariableRow& row : rows) {
    const Result result = LoadText(KeyWith("\"rpm\": 1"), {{row.name, row.value}});
    EXPECT_FALSE(result.ok) << row.name;
    EXPECT_THAT(result.lines, ElementsAre(row.line));
  }
  const std::vector<VariableRow> doubtful = {
      {"ROUTERD_GEMNI_BASE_URL", "https://host",
       "environment: ROUTERD_GEMNI_BASE_URL: names no provider; did you mean "
       "\"ROUTERD_GEMINI_BASE_URL\"?"},
      {"REDIS_URL", "redis://user:hidden@host",
       "environment: REDIS_URL: not needed any more: state is kept in SQLite; remove it"},
      {"USER_BURST_DEFAULT", "5",
       "environment: USER_BURST_DEFAULT: has no effect without user_rpm_default"},
  };
  for (const VariableRow& row : doubtful) {
    const Result result = LoadText(KeyWith("\"rpm\": 1"), {{row.name, row.value}});
    EXPECT_TRUE(result.ok) << row.name;
    EXPECT_THAT(result.lines, ElementsAre(row.line));
  }
}

TEST(Mistakes, AreAllSaidAtOnceInOrderOfLines) {
  const Result result = LoadText(
      "{\"config\": {\"max_retries\": -1},\n"
      "\"keys\": [{\"key_id\": \"a\", \"provider\": \"x\",\n"
      "\"model_name\": \"\", \"rpm\": -1}]}",
      {{"LLM_BASE_BACKOFF_MS", "soon"}});
  EXPECT_FALSE(result.ok);
  EXPECT_THAT(
      result.lines,
      ElementsAre("keys.json:1: config.max_retries: must be a whole number from 0 to 100, is -1",
                  "keys.json:2: keys[0].provider: unknown provider \"x\"; describe it in "
                  "\"providers\" (kind, base_url)",
                  "keys.json:3: keys[0].rpm: must be a positive whole number, is -1",
                  "keys.json:3: keys[0].model_name: must be a text that is not empty, is \"\"",
                  "environment: LLM_BASE_BACKOFF_MS: must be a positive whole number, is "
                  "\"soon\""));
}

TEST(Mistakes, ThatAreOnlyDoubtfulWarn) {
  const std::string none =
      "keys: there are no keys yet; until then every chat request is refused. Add one with key_id, "
      "provider and model_name, set API_KEY_<key_id>, and reload";
  ExpectWarnings({
      {"{}", {"keys.json:1: " + none}},
      {"{\n\"keys\": []}", {"keys.json:2: " + none}},
      {"{\n\"key\": []}",
       {"keys.json:1: " + none, "keys.json:2: unknown field \"key\"; did you mean \"keys\"?"}},
      {KeyWith("\"active\": false"),
       {"keys.json:1: keys: no key is active; until one is, every chat request is refused"}},
      {KeyWith("\"rpmm\": 5"),
       {"keys.json:3: keys[0]: unknown field \"rpmm\"; did you mean \"rpm\"?"}},
      {KeyWith("\"colour\": 5"), {"keys.json:3: keys[0]: unknown field \"colour\""}},
      {KeyWith("\"api_key\": \"hidden\""),
       {"keys.json:3: keys[0].api_key: secrets are not read from this file; remove it and set "
        "API_KEY_a in the environment or the .env file"}},
      {KeyWith("\"apiKey\": \"hidden\""),
       {"keys.json:3: keys[0].apiKey: secrets are not read from this file; remove it and set "
        "API_KEY_a in the environment or the .env file"}},
      {KeyWith("\"workload\": \"light\",\n\"priority\": 1"),
       {"keys.json:3: keys[0].workload: is not read here; it belongs in \"tags\"",
        "keys.json:4: keys[0].priority: is not read here; it belongs in \"tags\""}},
      {KeyWith("\"window_seconds\": 5"),
       {"keys.json:3: keys[0].window_seconds: has no effect without rpm, tpm, itpm or otpm"}},
      {FileWith("\"max_retries\": 3,\n\"log_level\": \"info\""),
       {"keys.json:2: max_retries: is not read here; it belongs in \"config\"",
        "keys.json:3: log_level: is not read here; it belongs in \"config\""}},
      {FileWith("\"models\": {\"m\": {\"input_usd_per_mtok\": 1}}"),
       {"keys.json:2: models.m.input_usd_per_mtok: has no effect without output_usd_per_mtok"}},
      {"{\"keys\": [{\"key_id\": \"a\", \"provider\": \"gemini\", \"model_name\": "
       "\"gemini-2.5-flash\"}],\n\"models\": {\"gemini-2.5-flsh\": {}, \"gpt-5\": {}}}",
       {"keys.json:2: models.gemini-2.5-flsh: no key serves it; did you mean "
        "\"gemini-2.5-flash\"?"}},
      {FileWith("\"callers\": [{\"models\": [\"m*\", \"gpt-*\"]}]"),
       {"keys.json:2: callers[0].models: no key serves \"gpt-*\""}},
      {FileWith("\"callers\": [{\"usd_per_day\": 1}]"),
       {"keys.json:2: callers[0].usd_per_day: has no effect: no model in \"models\" has prices"}},
      {FileWith("\"providers\": {\"gemini\": {\"base_url\": \"https://host/v1beta/models\"}}"),
       {"keys.json:2: providers.gemini.base_url: /v1beta/models is appended by itself; remove it "
        "from the end"}},
      {FileWith("\"providers\": {\"anthropic\": {\"base_url\": \"https://host/v1/messages\"}}"),
       {"keys.json:2: providers.anthropic.base_url: /v1/messages is appended by itself; remove it "
        "from the end"}},
      {FileWith("\"providers\": {\"openai\": {\"base_url\": \"https://host/v1/v1\"}}"),
       {"keys.json:2: providers.openai.base_url: ends in /v1 twice; remove one"}},
      {FileWith("\"providers\": {\"openai\": {\"base_url\": \"https://api.openai.com\"}}"),
       {"keys.json:2: providers.openai.base_url: has no path; nearly every server of this kind "
        "wants "
        "/v1 at the end"}},
      {KeyWith("\"models\": [{\"name\": \"n\", \"rmp\": 5}]"),
       {"keys.json:3: keys[0].models[0]: unknown field \"rmp\"; did you mean \"rpm\"?"}},
      {KeyWith("\"secret\": {\"env\": \"A\", \"files\": \"b\"}"),
       {"keys.json:3: keys[0].secret: unknown field \"files\"; did you mean \"file\"?"}},
      {ProviderWith("\"baseurl\": \"x\""),
       {"keys.json:3: providers.local: unknown field \"baseurl\"; did you mean \"base_url\"?"}},
      {FileWith("\"models\": {\"m\": {\"context\": 5}}"),
       {"keys.json:2: models.m: unknown field \"context\""}},
      {ConfigWith("\"max_retrys\": 5"),
       {"keys.json:3: config: unknown field \"max_retrys\"; did you mean \"max_retries\"?"}},
      {ConfigWith("\"admin_group\": \"no-such-group\""),
       {"keys.json:3: config.admin_group: there is no group \"no-such-group\" here; until there "
        "is, "
        "only root and routerd's own user are administrators"}},
      {FileWith("\"callers\": [{\"uid\": 0}, {\"uid\": 1},\n{\"uid\": 0}]"),
       {"keys.json:3: callers[2]: has no effect: callers[0] is for the same callers and comes "
        "first; make one of them"}},
      {FileWith("\"callers\": [{\"user\": \"root\"}]"),
       {"keys.json:2: callers[0]: unknown field \"user\""}},
      {FileWith("\"Config\": {}"),
       {"keys.json:2: unknown field \"Config\"; did you mean \"config\"?"}},
      {ConfigWith("\"user_burst_default\": 5"),
       {"keys.json:3: config.user_burst_default: has no effect without user_rpm_default"}},
      {FileWith("\"providers\": {\"gemini\": {\"base_url\": \"https://host/v1beta\"}}"),
       {"keys.json:2: providers.gemini.base_url: /v1beta is appended by itself; remove it from the "
        "end"}},
      {FileWith("\"providers\": {\"gemini\": {\"base_url\": \"http://host/\"}}"),
       {"keys.json:2: providers.gemini.base_url: keys will be sent without encryption; use https "
        "unless the network is your own"}},
      {"{\"keys\": [{\"key_id\": \"a-b\", \"provider\": \"gemini\", \"model_name\": \"m\"},\n"
       "{\"key_id\": \"A_b\", \"provider\": \"gemini\", \"model_name\": \"m\"}]}",
       {"keys.json:2: keys[1].key_id: \"A_b\" and \"a-b\" differ only in case or punctuation: the "
        "variable API_KEY_A_B would be found for both"}},
  });
}

TEST(Mistakes, CommentsAndSchemasAreNone) {
  ExpectWarnings({
      {FileWith("\"_comment\": \"x\", \"$schema\": \"y\", \"//\": \"z\""), {}},
      {KeyWith("\"_note\": 1"), {}},
      {FileWith("\"providers\": {\"_comment\": 1}, \"models\": {\"_comment\": 1}"), {}},
      {KeyWith("\"rpm\": null, \"tags\": null, \"secret\": null, \"models\": null"), {}},
      {KeyWith("\"tags\": {\"tier\": \"free\", \"pool\": 5}"), {}},
      {"\xef\xbb\xbf" + KeyWith("\"rpm\": 1"), {}},
      {KeyWith("\"tpm\": 1e6"), {}},
  });
}

TEST(Mistakes, ThatAreNone) {
  ExpectWarnings({
      {FileWith("\"providers\": {\"openai\": {\"base_url\": \"HTTPS://Host:8443/v1/\"}}"), {}},
      {FileWith("\"providers\": {\"deepseek\": {\"base_url\": \"https://api.deepseek.com\"}}"), {}},
      {FileWith("\"callers\": [{\"uid\": 1, \"models\": []}]"), {}},
      {KeyWith("\"rpm\": 5, \"window_seconds\": 5"), {}},
  });
}

TEST(Mistakes, OfTheFileItselfSayWhatToDo) {
  const support::TempDir directory;
  const auto said = [&](const std::string& name) {
    const auto loaded = Load(directory.path() + "/" + name, {});
    return loaded ? std::vector<std::string>() : Lines(loaded.error(), directory);
  };
  directory.Write("large.json", std::string(8 * 1024 * 1024 + 1, ' '));
  std::filesystem::create_directory(directory.path() + "/folder");
  EXPECT_THAT(said("absent.json"), ElementsAre("absent.json: does not exist; check the path"));
  EXPECT_THAT(said("large.json/x"), ElementsAre("large.json/x: does not exist; check the path"));
  EXPECT_THAT(said("folder"), ElementsAre("folder: is a directory; name the file in it"));
  EXPECT_EQ(ToString(Load("", {}).error()[0]), "--config: names no file");
  EXPECT_THAT(said("large.json"),
              ElementsAre("large.json: is larger than 8388608 bytes; check the path"));
}

// Root may read everything, so root becomes somebody else for a moment.
TEST(Mistakes, AFileThatMayNotBeReadNamesTheUid) {
  const support::TempDir directory;
  const std::string path = directory.Write("keys.json", "{}");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  const uid_t before = ::geteuid();
  const uid_t reader = before == 0 ? 65534 : before;
  ASSERT_EQ(::seteuid(reader), 0);
  const auto loaded = Load(path, {});
  ASSERT_EQ(::seteuid(before), 0);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(
      Lines(loaded.error(), directory),
      ElementsAre("keys.json: permission denied; let uid " + std::to_string(reader) + " read it"));
}

TEST(Mistakes, AreShownShortenedAtAWholeCharacter) {
  const std::string before = "\"active\": \"" + std::string(39, 'x');
  EXPECT_THAT(LoadText(KeyWith(before + "\xc3\xa9y\"")).lines,
              ElementsAre("keys.json:3: keys[0].active: must be true or false, is \"" +
                          std::string(39, 'x') + "…\""));
  EXPECT_THAT(LoadText(KeyWith(before + "z\"")).lines,
              ElementsAre("keys.json:3: keys[0].active: must be true or false, is \"" +
                          std::string(39, 'x') + "z\""));
}

std::string ExampleText() {
  std::ifstream file(REPO_ROOT "/tests/golden/config/keys.json", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Mistakes, AFileThatIsCutAnywhereIsAnErrorWithAPosition) {
  const std::string text = ExampleText();
  const std::size_t whole = text.rfind('}') + 1;
  ASSERT_GT(whole, 1000u);
  for (std::size_t size = 1; size < whole; ++size) {
    const auto tree = ParseJson(std::string_view(text).substr(0, size));
    ASSERT_FALSE(tree) << size;
    ASSERT_GT(tree.error().line, 0) << size;
    ASSERT_GT(tree.error().column, 0) << size;
    ASSERT_NE(tree.error().message, "") << size;
  }
  EXPECT_TRUE(ParseJson(std::string_view(text).substr(0, whole)));
}

TEST(Mistakes, WhateverBytesAFileHoldsItIsLoadedOrRefusedWithWords) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string text = ExampleText();
    for (int i = 0; i < 4; ++i) text[random() % text.size()] = static_cast<char>(random() % 256);
    const Result result = LoadText(text);
    ASSERT_TRUE(result.ok || !result.lines.empty()) << text;
  }
}

}  // namespace
}  // namespace requestrouter::config
