#include "ipc/socket.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "socket_fixture.h"

namespace requestrouter::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

using Strings = std::vector<std::string>;

TEST_F(SocketTest, ARequestSocketGetsItsReply) {
  const auto server = Serve();
  zmq::socket_t client = Connect(zmq::socket_type::req);
  Send(client, {"question"});
  const Incoming incoming = Await(*server);
  EXPECT_EQ(incoming.payload, "question");
  EXPECT_EQ(incoming.envelope.back(), "");
  EXPECT_EQ(server->Send(incoming.envelope, "answer"), SendStatus::kSent);
  EXPECT_THAT(Receive(client), ElementsAre("answer"));
}

TEST_F(SocketTest, IsSettledOnceNothingIsFoundAndNothingWasSentSince) {
  const auto server = Serve();
  EXPECT_FALSE(server->settled());
  EXPECT_FALSE(server->Receive());
  EXPECT_TRUE(server->settled());
  zmq::socket_t client = Connect(zmq::socket_type::dealer);
  Send(client, {"", "one"});
  Send(client, {"", "two"});
  const Incoming one = Await(*server);
  EXPECT_FALSE(server->settled()) << "the other may be there already";
  Await(*server);
  EXPECT_FALSE(server->Receive());
  EXPECT_TRUE(server->settled());
  server->Send(one.envelope, "answer");
  EXPECT_FALSE(server->settled());
}

TEST_F(SocketTest, ARequestSocketWithCorrelationGetsTheReplyToItsLastRequest) {
  const auto server = Serve();
  zmq::socket_t client(context_, zmq::socket_type::req);
  client.set(zmq::sockopt::req_correlate, 1);
  client.set(zmq::sockopt::req_relaxed, 1);
  client.set(zmq::sockopt::linger, 0);
  client.set(zmq::sockopt::rcvtimeo, 10'000);
  client.connect(Endpoint());
  Send(client, {"first"});
  const Incoming first = Await(*server);
  EXPECT_THAT(first.envelope, SizeIs(3)) << "peer, request number, delimiter";
  Send(client, {"second"});
  const Incoming second = Await(*server);
  EXPECT_EQ(second.payload, "second");
  server->Send(second.envelope, "to the second");
  EXPECT_THAT(Receive(client), ElementsAre("to the second"));
}

TEST_F(SocketTest, ADealerGetsSeveralRepliesToOneRequest) {
  const auto server = Serve();
  zmq::socket_t client = Connect(zmq::socket_type::dealer);
  Send(client, {"", "question"});
  const Incoming incoming = Await(*server);
  server->Send(incoming.envelope, "one");
  server->Send(incoming.envelope, "two");
  EXPECT_THAT(Receive(client), ElementsAre("", "one"));
  EXPECT_THAT(Receive(client), ElementsAre("", "two"));
}

TEST_F(SocketTest, FramesInFrontOfTheDelimiterComeBack) {
  const auto server = Serve();
  zmq::socket_t client = Connect(zmq::socket_type::dealer);
  Send(client, {"a", "b", "", "question"});
  const Incoming incoming = Await(*server);
  EXPECT_EQ(incoming.payload, "question");
  server->Send(incoming.envelope, "answer");
  EXPECT_THAT(Receive(client), ElementsAre("a", "b", "", "answer"));
}

TEST_F(SocketTest, APayloadMayBeEmpty) {
  const auto server = Serve();
  zmq::socket_t client = Connect(zmq::socket_type::dealer);
  Send(client, {"", ""});
  EXPECT_EQ(Await(*server).payload, "");
  EXPECT_EQ(server->dropped(), 0u);
}

TEST_F(SocketTest, WorksBehindAProxy) {
  const auto server = Serve();
  zmq::context_t proxy_context;
  zmq::socket_t front(proxy_context, zmq::socket_type::router);
  zmq::socket_t back(proxy_context, zmq::socket_type::dealer);
  front.set(zmq::sockopt::linger, 0);
  back.set(zmq::sockopt::linger, 0);
  front.bind("ipc://" + Path("front"));
  back.connect(Endpoint());
  std::thread proxy([&front, &back] {
    try {
      zmq::proxy(front, back);
    } catch (const zmq::error_t& error) {
      EXPECT_EQ(error.num(), ETERM);
    }
    front.close();
    back.close();
  });
  zmq::socket_t client(context_, zmq::socket_type::req);
  client.set(zmq::sockopt::linger, 0);
  client.set(zmq::sockopt::rcvtimeo, 10'000);
  client.connect("ipc://" + Path("front"));
  Send(client, {"question"});
  const Incoming incoming = Await(*server);
  EXPECT_THAT(incoming.envelope, SizeIs(3)) << "proxy, client, delimiter";
  server->Send(incoming.envelope, "answer");
  EXPECT_THAT(Receive(client), ElementsAre("answer"));
  proxy_context.shutdown();
  proxy.join();
}

TEST_F(SocketTest, MessagesThatDoNotFitTheEnvelopeAreDroppedAndCounted) {
  const auto server = Serve();
  zmq::socket_t client = Connect(zmq::socket_type::dealer);
  Send(client, {"no delimiter"});
  Send(client, {""});
  Send(client, {"", "two", "payloads"});
  Send(client, {"", "a payload", ""});
  Send(client, Strings(64, "frame"));
  Send(client, {std::string(20'000, 'x'), "", "a long return path"});
  Send(client, {"", "good"});
  EXPECT_EQ(Await(*server).payload, "good");
  EXPECT_EQ(server->dropped(), 6u);
}

TEST_F(SocketTest, AReturnPathHasUpTo64Frames) {
  const auto server = Serve();
  zmq::socket_t client = Connect(zmq::socket_type::dealer);
  Strings most(62, "frame");  // and libzmq's own, and the delimiter
  most.insert(most.end(), {"", "fits"});
  Strings more(63, "frame");
  more.insert(more.end(), {"", "does not"});
  Send(client, more);
  Send(client, most);
  EXPECT_EQ(Await(*server).payload, "fits");
  EXPECT_EQ(server->dropped(), 1u);
}

TEST_F(SocketTest, TheCallerIsWhomTheKernelNames) {
  const auto server = Serve();
  for (const zmq::socket_type type : {zmq::socket_type::req, zmq::socket_type::dealer}) {
    zmq::socket_t client = Connect(type);
    if (type == zmq::socket_type::dealer) Send(client, {"", "x"});
    if (type == zmq::socket_type::req) Send(client, {"x"});
    EXPECT_EQ(Await(*server).peer, (Peer{getuid(), getgid(), getpid()}));
  }
}

TEST_F(SocketTest, APeerThatLeftIsGone) {
  const auto server = Serve();
  zmq::socket_t client = Connect(zmq::socket_type::dealer);
  Send(client, {"", "question"});
  const Incoming incoming = Await(*server);
  client.close();
  EXPECT_TRUE(AwaitStatus(*server, incoming.envelope, SendStatus::kGone, "answer"));
}

TEST_F(SocketTest, APeerThatNeverWasIsGone) {
  EXPECT_EQ(Serve()->Send({"nobody", ""}, "answer"), SendStatus::kGone);
}

TEST_F(SocketTest, APeerThatDoesNotReadIsFullAndHoldsUpNobody) {
  const auto server = Serve();
  zmq::socket_t lazy(context_, zmq::socket_type::dealer);
  lazy.set(zmq::sockopt::linger, 0);
  lazy.set(zmq::sockopt::rcvhwm, 1);
  lazy.connect(Endpoint());
  Send(lazy, {"", "question"});
  const Incoming from_lazy = Await(*server);
  EXPECT_TRUE(
      AwaitStatus(*server, from_lazy.envelope, SendStatus::kFull, std::string(16'384, 'x')));

  zmq::socket_t keen = Connect(zmq::socket_type::req);
  Send(keen, {"question"});
  const Incoming from_keen = Await(*server);
  EXPECT_EQ(server->Send(from_keen.envelope, "answer"), SendStatus::kSent);
  EXPECT_THAT(Receive(keen), ElementsAre("answer"));
}

TEST_F(SocketTest, AFrameOfTwiceThePayloadsLimitArrivesSoThatItCanBeAnswered) {
  ServerSocket::Options options = Options();
  options.payload_bytes = 1'000;
  const auto server = Serve(options);
  zmq::socket_t client = Connect(zmq::socket_type::req);
  Send(client, {std::string(2'000, 'x')});
  EXPECT_EQ(Await(*server).payload.size(), 2'000u);
}

TEST_F(SocketTest, ALargerFrameEndsThePeersConnection) {
  ServerSocket::Options options = Options();
  options.payload_bytes = 1'000;
  const auto server = Serve(options);
  zmq::socket_t client(context_, zmq::socket_type::dealer);
  client.set(zmq::sockopt::linger, 0);
  ASSERT_EQ(zmq_socket_monitor(client.handle(), "inproc://watch", ZMQ_EVENT_DISCONNECTED), 0);
  zmq::socket_t watch(context_, zmq::socket_type::pair);
  watch.set(zmq::sockopt::rcvtimeo, 10'000);
  watch.connect("inproc://watch");
  client.connect(Endpoint());
  Send(client, {"", std::string(2'001, 'x')});
  EXPECT_THAT(Receive(watch), SizeIs(2)) << "an event and its endpoint";
  EXPECT_FALSE(server->Receive());
}

// A connection that speaks no ZeroMQ, or one too old to be asked who it is.
void ExpectTurnedAway(const std::string& path, const std::string& greeting) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fd, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const timeval patience = {10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(send(fd, greeting.data(), greeting.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(greeting.size()));
  char bytes[256];
  ssize_t got = 0;
  while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) continue;
  EXPECT_TRUE(got == 0 || errno == ECONNRESET) << "still connected: " << strerror(errno);
  close(fd);
}

TEST_F(SocketTest, PeersOfOldProtocolVersionsAreTurnedAway) {
  const auto server = Serve();
  // ZMTP 1.0: an empty identity, and a message of a delimiter and a payload.
  ExpectTurnedAway(Path(), std::string("\x01\x00\x01\x01\x02\x00x", 7));
  EXPECT_FALSE(server->Receive());
  EXPECT_EQ(server->dropped(), 0u) << "it came as far as to send a message";
}

TEST_F(SocketTest, ConnectionsOfAnotherProtocolAreTurnedAway) {
  const auto server = Serve();
  ExpectTurnedAway(Path(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_FALSE(server->Receive());
}

}  // namespace
}  // namespace requestrouter::ipc
