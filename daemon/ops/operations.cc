#include "daemon/ops/operations.h"

#include <type_traits>
#include <utility>
#include <variant>

#include "daemon/router/access.h"
#include "ipc/codec.h"
#include "ipc/names.h"

namespace requestrouter::ops {

using ipc::ErrorType;

namespace {

// Whether what is answered depends on who asks.
bool DependsOnAdmin(const ipc::Body& body) {
  return std::visit(
      []<typename Request>(const Request& request) {
        if constexpr (requires { request.uid; }) return request.uid.has_value();
        return kIsForAdmins<Request> || std::is_same_v<Request, ipc::UsageRequest> ||
               std::is_same_v<Request, ipc::QueueRequest>;
      },
      body);
}

// Whether it is answered within the turn, so that no number of them is ever under way.
bool IsAnsweredAtOnce(const ipc::Body& body) {
  return std::holds_alternative<ipc::PingRequest>(body) ||
         std::holds_alternative<ipc::HealthRequest>(body) ||
         std::holds_alternative<ipc::ModelsRequest>(body) ||
         std::holds_alternative<ipc::CancelRequest>(body);
}

}  // namespace

Operations::Operations(Parts parts, std::shared_ptr<const router::Catalog> catalog)
    : parts_(std::move(parts)), catalog_(std::move(catalog)) {
  parts_.users.Configure(catalog_->config().settings.admin_group);
}

void Operations::SetCatalog(std::shared_ptr<const router::Catalog> catalog) {
  catalog_ = std::move(catalog);
  parts_.users.Configure(catalog_->config().settings.admin_group);
}

void Operations::Handle(const ipc::Envelope& from, const ipc::Peer& peer,
                        const ipc::Request& request) {
  Asker asker{from, peer, request.id, router::IsAdminByUid(peer), nullptr};
  if (++under_way_[peer.pid] > kMostAtOnce && !IsAnsweredAtOnce(request.body)) {
    return Reply(asker, ipc::Fail(ErrorType::kOverloaded,
                                  "this process has " + std::to_string(kMostAtOnce) +
                                      " operations under way already; wait for their answers"));
  }
  if (asker.is_admin || !DependsOnAdmin(request.body)) {
    return Answer(std::move(asker), request.body);
  }
  parts_.users.WhenKnown(
      peer, [this, asker = std::move(asker), body = request.body](const auto& user) mutable {
        asker.is_admin = router::IsAdmin(asker.peer, user.get());
        Answer(std::move(asker), body);
      });
}

void Operations::Answer(Asker asker, const ipc::Body& body) {
  const auto answer = [&](const auto& request) {
    if constexpr (kIsForAdmins<std::decay_t<decltype(request)>>) {
      if (const auto admin = RequireAdmin(asker); !admin) {
        return Reply(asker, tl::unexpected(admin.error()));
      }
      asker.admin_operation = std::make_shared<AdminOperation>(
          AdminOperation{std::string(ipc::OperationName(body)), TargetOf(request), asker.peer,
                         parts_.caller_names.OfOne(asker.peer)});
    }
    On(asker, request);
  };
  std::visit(answer, body);
}

void Operations::On(const Asker& asker, const ipc::ChatRequest&) {
  Reply(asker, ipc::Fail(ErrorType::kInternalError, "chat is not handled here"));
}

void Operations::Reply(const Asker& asker, ipc::Result<ipc::Value> body) {
  if (asker.admin_operation) {
    asker.admin_operation->error = body ? nullptr : &body.error();
    parts_.on_admin_operation(*asker.admin_operation);
  }
  ipc::Reply reply;
  reply.id = asker.id;
  if (body) {
    reply.outcome = std::move(*body);
  } else {
    reply.outcome = std::move(body.error());
  }
  parts_.replies.Send(asker.from, ipc::EncodeReply(reply));
  const auto of_process = under_way_.find(asker.peer.pid);
  if (--of_process->second == 0) under_way_.erase(of_process);
}

void Operations::ReplyLine(const Asker& asker, std::string line) {
  ipc::Reply reply;
  reply.id = asker.id;
  reply.final = false;
  reply.outcome = ipc::Value{{"line", std::move(line)}};
  parts_.replies.Send(asker.from, ipc::EncodeReply(reply));
}

ipc::Result<void> Operations::RequireAdmin(const Asker& asker) {
  if (asker.is_admin) return {};
  return ipc::Fail(ErrorType::kPermissionDenied,
                   "uid " + std::to_string(asker.peer.uid) +
                       " is not an administrator: root, routerd's own user, and the members of"
                       " config.admin_group are");
}

ipc::Result<std::uint32_t> Operations::OwnerOf(const Asker& asker,
                                               std::optional<std::uint32_t> uid) {
  if (!uid || *uid == asker.peer.uid) return asker.peer.uid;
  if (const auto admin = RequireAdmin(asker); !admin) return tl::unexpected(admin.error());
  return *uid;
}

}  // namespace requestrouter::ops
