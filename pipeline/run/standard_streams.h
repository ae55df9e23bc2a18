#pragma once
#include <string>
#include <string_view>

namespace chainrule::pipeline::run {

/// Gives each standard stream that the process was started without a descriptor on which every use fails, so that no
/// file opened later takes its place. Call before anything is opened.
void occupy_standard_streams();

/// Writes text to standard error at once. That it cannot be written is nobody's failure: no place is left to say so,
/// and no work depends on it.
void say(std::string_view text);

/// Says "chainrule: MESSAGE" or "chainrule: warning: MESSAGE" on a line. Messages carry names and values from files and
/// options: control characters in them are shown, not sent to the terminal.
void say_failure(std::string_view message);
void warn(std::string_view message);

/// Writes all of text to standard output at once. Throws io::Error input_output.
void print(std::string_view text);

/// Standard input to its end; at a terminal a line on standard error says how to end `what` ("the text"). Throws
/// io::Error input_output.
std::string read_standard_input(std::string_view what);

}  // namespace chainrule::pipeline::run
