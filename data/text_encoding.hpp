// data/text_encoding.hpp: text that people have into the UTF-8 that everything here writes: JSON, HDF5, HTML,
// ONNX and TOML can hold no other. File names are not text: they stay the bytes that they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// Whether the C library converts from `encoding`: "latin1", "gbk", "shift-jis", any name that iconv knows.
[[nodiscard]] bool knows_encoding(const std::string& encoding);

/// `bytes` of `encoding` as UTF-8; nothing if they are not well-formed there.
/// @param encoding  one that knows_encoding()
[[nodiscard]] std::optional<std::string> to_utf8(std::string_view bytes, const std::string& encoding);

/// Whether `text`, a whole list or one name, is no UTF-8 but may be of `encoding`: it is not well-formed, or
/// it is 7-bit and has escapes that mean other letters there, as ISO-2022-JP has.
[[nodiscard]] bool is_encoded(std::string_view text, const std::string& encoding);

/// `name` of `encoding` as UTF-8, but plain ASCII as it is, whatever `encoding` has in its place. Nothing if
/// it is not well-formed there.
[[nodiscard]] std::optional<std::string> name_to_utf8(std::string_view name, const std::string& encoding);

/// A whole text without its byte order mark: UTF-16 and UTF-32 that have one become UTF-8, anything else
/// stays as it is. Nothing if it is not well-formed in the encoding that its mark names.
[[nodiscard]] std::optional<std::string> without_byte_order_mark(std::string_view text);

/// "utf-16le" or "utf-16be" if `text` has zero bytes as one of them has, and no mark; else "". Zero bytes
/// behind names or within text are seldom at every second byte four times in a row, and nowhere else.
[[nodiscard]] std::string likely_utf16(std::string_view text);

/// An encoding that bytes may be in.
struct EncodingGuess {
  std::string encoding;  ///< as to_utf8() takes it
  std::string text;      ///< the bytes read in it
};

/// What `bytes`, which are no UTF-8, look like; the likeliest first, at most two.
[[nodiscard]] std::vector<EncodingGuess> likely_encodings(std::string_view bytes);

/// The two as advice: "it looks like latin1 (café): pass --encoding latin1".
[[nodiscard]] std::string encoding_advice(std::string_view bytes);

}  // namespace headstart
