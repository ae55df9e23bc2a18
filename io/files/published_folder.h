#pragma once
#include <filesystem>

// An output folder that appears whole or not at all: it is written beside its place and renamed.
namespace chainrule::io::files {

/// path as an absolute one that names the folder itself, so that names can be made of it: "DIR/" is DIR, and a link to
/// a folder is that folder. Throws Error cannot_create for a link to nothing and for what cannot be seen.
std::filesystem::path folder_path(const std::filesystem::path& path);

/// Whether a folder can be put in this place: nothing is there, or an empty folder.
bool is_free_for_folder(const std::filesystem::path& place);

/// Makes a folder and those above it; returns false where it was there already. Throws Error cannot_create.
bool make_folder(const std::filesystem::path& path);

/// Makes a folder of nobody else's beside a place, PLACE.partial-N, and returns it. Throws Error cannot_create.
std::filesystem::path make_folder_beside(const std::filesystem::path& place);

/// Puts the folder written beside a place there: syncs it and renames it, which is the commit. Throws Error
/// (input_output, cannot_create); then it stays whole where it was written, and the message says where.
void publish_folder(const std::filesystem::path& beside, const std::filesystem::path& place);

}  // namespace chainrule::io::files
