#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "socket_fixture.h"

namespace requestrouter::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

mode_t ModeOf(const std::string& path) {
  struct stat found = {};
  return stat(path.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
}

// A listening socket file, as systemd or a daemon that died leave it.
int Listen(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(fd, 16), 0);
  return fd;
}

TEST_F(SocketTest, TheSocketFileHasTheModeThatWasAskedFor) {
  ServerSocket::Options options = Options();
  {
    const auto server = Serve(options);
    EXPECT_EQ(ModeOf(Path()), 0660u);
  }
  options.mode = 0666;
  const auto server = Serve(options);
  EXPECT_EQ(ModeOf(Path()), 0666u);
}

TEST_F(SocketTest, TheUmaskIsAsBefore) {
  const mode_t before = umask(022);
  const auto server = Serve();
  EXPECT_EQ(umask(before), 022u);
}

TEST_F(SocketTest, MissingFoldersAreMadeForTheGroup) {
  ServerSocket::Options options = Options();
  options.endpoint = "ipc://" + Path("a/b/s");
  const auto server = Serve(options);
  EXPECT_EQ(ModeOf(Path("a")), 0750u);
  EXPECT_EQ(ModeOf(Path("a/b")), 0750u);
}

TEST_F(SocketTest, ASecondDaemonIsRefusedAndToldWhoTheFirstIs) {
  const auto server = Serve();
  const std::string refusal = Refusal(Options());
  EXPECT_THAT(refusal, HasSubstr("another routerd (pid " + std::to_string(getpid()) + ")"));
  EXPECT_THAT(refusal, HasSubstr("stop it, or choose another --endpoint"));
  zmq::socket_t client = Connect(zmq::socket_type::req);
  Send(client, {"question"});
  EXPECT_EQ(Await(*server).payload, "question") << "the first is not disturbed";
}

TEST_F(SocketTest, ASecondDaemonIsRefusedAlsoBeforeTheFirstHasSaidWhoItIs) {
  const int first = open(Path("s.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(flock(first, LOCK_EX), 0);
  EXPECT_THAT(Refusal(Options()), HasSubstr("another routerd listens on " + Endpoint()));
  close(first);
  EXPECT_TRUE(Serve());
}

TEST_F(SocketTest, TheNextDaemonMayBindWhenTheFirstIsGone) {
  Serve().reset();
  EXPECT_FALSE(std::filesystem::exists(Path())) << "removed on destruction";
  EXPECT_TRUE(Serve());
}

TEST_F(SocketTest, AStaleSocketFileIsReplaced) {
  close(Listen(Path()));
  const auto server = Serve();
  zmq::socket_t client = Connect(zmq::socket_type::req);
  Send(client, {"question"});
  EXPECT_EQ(Await(*server).payload, "question");
}

TEST_F(SocketTest, AFileThatIsNoSocketIsKept) {
  std::ofstream(Path()) << "precious";
  EXPECT_THAT(Refusal(Options()), HasSubstr("is there and is no socket; remove it, or choose"));
  EXPECT_EQ(std::filesystem::file_size(Path()), 8u);
}

TEST_F(SocketTest, ALockThatIsALinkIsRefused) {
  std::filesystem::create_symlink(Path("elsewhere"), Path("s.lock"));
  EXPECT_THAT(Refusal(Options()), HasSubstr("cannot write " + Path("s.lock")));
  EXPECT_FALSE(std::filesystem::exists(Path("elsewhere")));
}

TEST_F(SocketTest, OnlyLocalEndpointsWithAnAbsolutePathAreTaken) {
  ServerSocket::Options options;
  for (const char* endpoint : {"tcp://127.0.0.1:5555", "/run/s", "inproc://x", ""}) {
    options.endpoint = endpoint;
    EXPECT_THAT(Refusal(options), HasSubstr("is no local socket; use ipc:///PATH")) << endpoint;
  }
  for (const char* endpoint : {"ipc://", "ipc://relative", "ipc://@abstract", "ipc:///folder/"}) {
    options.endpoint = endpoint;
    EXPECT_THAT(Refusal(options), HasSubstr("needs an absolute path: ipc:///PATH")) << endpoint;
  }
}

TEST_F(SocketTest, APathIsAsLongAsTheKernelAllows) {
  ServerSocket::Options options;
  const std::string folder = Path("");
  options.endpoint = "ipc://" + folder + std::string(107 - folder.size(), 'x');
  EXPECT_TRUE(Serve(options));
  options.endpoint += "x";
  EXPECT_THAT(Refusal(options), HasSubstr("is too long: 108 bytes, at most 107"));
}

TEST_F(SocketTest, SystemdsListeningSocketIsServedAndLeftInPlace) {
  ServerSocket::Options options = Options();
  options.listening_fd = Listen(Path());
  zmq::socket_t early = Connect(zmq::socket_type::req);
  Send(early, {"before the start"});
  {
    const auto server = Serve(options);
    const Incoming incoming = Await(*server);
    EXPECT_EQ(incoming.payload, "before the start");
    EXPECT_EQ(incoming.peer, (Peer{getuid(), getgid(), getpid()}));
    server->Send(incoming.envelope, "answer");
    EXPECT_THAT(Receive(early), ElementsAre("answer"));
  }
  EXPECT_TRUE(std::filesystem::exists(Path())) << "the file is systemd's";
}

class Endpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    unsetenv("REQUESTROUTER_ENDPOINT");
    setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
  }
};

TEST_F(Endpoint, IsTheOptionThenTheVariableThenTheDefault) {
  setenv("REQUESTROUTER_ENDPOINT", "ipc:///v", 1);
  EXPECT_EQ(ResolveEndpoint("ipc:///o"), "ipc:///o");
  EXPECT_EQ(ResolveEndpoint(""), "ipc:///v");
  setenv("REQUESTROUTER_ENDPOINT", "", 1);
  EXPECT_EQ(ResolveEndpoint(""), geteuid() == 0 ? "ipc:///run/requestrouter/router.sock"
                                                : "ipc:///run/user/1000/requestrouter/router.sock");
}

TEST_F(Endpoint, IsTheSystemsWhereThereIsNoRuntimeFolder) {
  unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(ResolveEndpoint(""), "ipc:///run/requestrouter/router.sock");
}

}  // namespace
}  // namespace requestrouter::ipc
