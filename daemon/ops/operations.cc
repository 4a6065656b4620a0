#include "daemon/ops/operations.h"

#include <variant>

#include "daemon/router/caller_names.h"
#include "ipc/codec.h"
#include "ipc/names.h"

namespace requestrouter::ops {

using ipc::ErrorType;

namespace {

bool AsksStorage(const ipc::Body& body) {
  return std::holds_alternative<ipc::ConversationGetRequest>(body) ||
         std::holds_alternative<ipc::ConversationListRequest>(body) ||
         std::holds_alternative<ipc::ConversationTruncateRequest>(body) ||
         std::holds_alternative<ipc::ConversationDeleteRequest>(body) ||
         std::holds_alternative<ipc::ConversationExportRequest>(body) ||
         std::holds_alternative<ipc::UsageRequest>(body) ||
         std::holds_alternative<ipc::MetricsRequest>(body) ||
         std::holds_alternative<ipc::BackupRequest>(body) ||
         std::holds_alternative<ipc::CheckRequest>(body);
}

}  // namespace

Operations::Operations(Parts parts, std::shared_ptr<const router::Catalog> catalog)
    : parts_(std::move(parts)),
      catalog_(std::move(catalog)),
      access_(catalog_->config().settings.admin_group) {}

void Operations::SetCatalog(std::shared_ptr<const router::Catalog> catalog) {
  catalog_ = std::move(catalog);
  access_ = router::Access(catalog_->config().settings.admin_group);
}

void Operations::Handle(const ipc::Envelope& from, const ipc::Peer& peer,
                        const ipc::Request& request) {
  Asker asker{from, peer, request.id, nullptr};
  if (++under_way_[peer.pid] > kMostAtOnce && AsksStorage(request.body)) {
    return Reply(asker, ipc::Fail(ErrorType::kOverloaded,
                                  "this process has " + std::to_string(kMostAtOnce) +
                                      " operations under way already; wait for their answers"));
  }
  const auto answer = [&]<typename Request>(const Request& body) {
    if constexpr (kIsForAdmins<Request>) {
      if (const auto admin = RequireAdmin(asker); !admin) {
        return Reply(asker, tl::unexpected(admin.error()));
      }
      asker.admin_operation = std::make_shared<AdminOperation>(
          AdminOperation{std::string(ipc::OperationName(request.body)), TargetOf(body), peer,
                         router::DescribeCaller(peer)});
    }
    On(asker, body);
  };
  std::visit(answer, request.body);
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

ipc::Result<void> Operations::RequireAdmin(const Asker& asker) const {
  if (IsAdmin(asker)) return {};
  return ipc::Fail(ErrorType::kPermissionDenied,
                   "uid " + std::to_string(asker.peer.uid) +
                       " is not an administrator: root, routerd's own user, and the members of"
                       " config.admin_group are");
}

ipc::Result<std::uint32_t> Operations::OwnerOf(const Asker& asker,
                                               std::optional<std::uint32_t> uid) const {
  if (!uid || *uid == asker.peer.uid) return asker.peer.uid;
  if (const auto admin = RequireAdmin(asker); !admin) return tl::unexpected(admin.error());
  return *uid;
}

}  // namespace requestrouter::ops
