#pragma once
#include <filesystem>

// An output folder that appears whole or not at all: it is written beside its place and renamed.
namespace chainrule::io::files {

/// path as an absolute one that names the folder itself, so that names can be made of it: "DIR/" is DIR.
std::filesystem::path folder_path(const std::filesystem::path& path);

/// Whether a folder can be put in this place: nothing is there, or an empty folder.
bool is_free_for_folder(const std::filesystem::path& place);

/// Makes a folder and those above it; returns false where it was there already. Throws Error cannot_create.
bool make_folder(const std::filesystem::path& path);

/// Puts the folder written beside a place there: syncs it and renames it, which is the commit. Throws Error
/// (input_output, cannot_create); then it is whole where it was written.
void publish_folder(const std::filesystem::path& beside, const std::filesystem::path& place);

/// The same where an older folder may have that place: it makes room once the new one is synced, is renamed to
/// PLACE.replaced and deleted.
void replace_folder(const std::filesystem::path& beside, const std::filesystem::path& place);

}  // namespace chainrule::io::files
