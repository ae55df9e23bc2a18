#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace chainrule::pipeline::inspect {

/// What a file or folder of ours is, each checksum and structure in it verified: a data set, a pair of them, a token
/// shard, a tokenizer, a checkpoint, a run directory, or a model of another system (which has no checksums; the member
/// "encodings" lists how its weights are stored). The member "kind" says which. Throws io::Error: bad_data naming
/// the damaged file, or where path is none of these; missing_input.
nlohmann::ordered_json inspect(const std::filesystem::path& path);

/// A description as a person reads it: a line a member, tables as lines of their own.
std::string as_text(const nlohmann::ordered_json& description);

}  // namespace chainrule::pipeline::inspect
