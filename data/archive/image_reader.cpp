// data/archive/image_reader.cpp: see image_reader.hpp.
#include "data/archive/image_reader.hpp"

namespace headstart {
namespace {

Reject changed() { return Reject{"its archive has changed since it was listed"}; }

}  // namespace

std::variant<std::vector<std::byte>, Reject> ImageReader::read(const ImageSource& source,
                                                               const std::atomic<bool>* stop) {
  if (!source.problem.empty()) return Reject{source.problem};
  if (!source.member) return read_file(source.file, max_bytes_);
  return read_member(source.file, *source.member, stop);
}

std::variant<std::vector<std::byte>, Reject> ImageReader::read_member(const std::filesystem::path& file,
                                                                      const MemberSource& member,
                                                                      const std::atomic<bool>* stop) {
  if (file_ != file) {
    file_ = file;
    archive_.reset();
    end_.reset();
    reopened_ = 0;
  }
  if (end_ && member.position >= *end_) return Reject{end_reason_};
  const bool is_ahead = current_ ? current_->position <= member.position : next_ <= member.position;
  if (!archive_ || !is_ahead || !archive_->is_usable()) {
    if (archive_ && is_ahead && !archive_->is_usable() && ++reopened_ > kMaxReopened) {
      end_ = next_;
      end_reason_ = "is behind too many damaged members";
      return Reject{end_reason_};
    }
    if (auto reject = open(file)) return *reject;
  }
  if (!archive_->stamp().is_of_same_content(member.archive)) return changed();
  if (auto reject = advance(member.position, stop)) return *reject;
  if (current_->name != member.name || current_->kind != ArchiveMember::Kind::kFile) return changed();
  current_.reset();
  auto bytes = archive_->read(max_bytes_);
  if (!archive_->stamp().is_of_same_content(member.archive)) return changed();
  return bytes;
}

/// Opens the archive from the front.
std::optional<Reject> ImageReader::open(const std::filesystem::path& file) {
  archive_.reset();
  current_.reset();
  next_ = 0;
  auto opened = ArchiveReader::open(file);
  if (auto* reject = std::get_if<Reject>(&opened)) return Reject{"its archive " + reject->reason};
  archive_ = std::get<ArchiveReader>(std::move(opened));
  return std::nullopt;
}

/// Makes the member at `position` the current one.
std::optional<Reject> ImageReader::advance(std::uint64_t position, const std::atomic<bool>* stop) {
  while (!current_ || current_->position < position) {
    if (stop != nullptr && stop->load()) return Reject{"was not reached"};
    current_.reset();
    auto next = archive_->next();
    if (auto* member = std::get_if<ArchiveMember>(&next)) {
      next_ = member->position + 1;
      current_ = std::move(*member);
      continue;
    }
    const auto* damage = std::get_if<ArchiveDamage>(&next);
    if (damage != nullptr && !damage->is_end) continue;
    end_ = next_;
    end_reason_ = damage == nullptr ? "is not in its archive any more" : "cannot be read: " + damage->reason;
    return Reject{end_reason_};
  }
  return std::nullopt;
}

}  // namespace headstart
