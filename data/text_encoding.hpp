// data/text_encoding.hpp: converts text of any encoding to UTF-8. All files that headstart writes are UTF-8:
// JSON, HDF5, HTML, ONNX and TOML allow nothing else. File names are not text: their bytes never change.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// Whether the C library converts from `encoding`: "latin1", "gbk", "shift-jis", or any other name that iconv
/// knows.
[[nodiscard]] bool knows_encoding(const std::string& encoding);

/// `bytes` of `encoding` as UTF-8; nothing if they are not well-formed in that encoding.
/// @param encoding  one that knows_encoding()
[[nodiscard]] std::optional<std::string> to_utf8(std::string_view bytes, const std::string& encoding);

/// Whether `text`, a whole list or one name, is no UTF-8 but may be of `encoding`. Either it is not
/// well-formed UTF-8, or it is 7-bit and has escapes that mean other letters in `encoding`, as in
/// ISO-2022-JP.
[[nodiscard]] bool is_encoded(std::string_view text, const std::string& encoding);

/// `name` of `encoding` as UTF-8. Plain ASCII stays as it is, even if `encoding` has other characters there.
/// Nothing if `name` is not well-formed in `encoding`.
[[nodiscard]] std::optional<std::string> name_to_utf8(std::string_view name, const std::string& encoding);

/// A whole text without its byte order mark. UTF-16 and UTF-32 with a mark become UTF-8; any other text stays
/// as it is. Nothing if the text is not well-formed in the encoding of its mark.
[[nodiscard]] std::optional<std::string> without_byte_order_mark(std::string_view text);

/// "utf-16le" or "utf-16be" if the zero bytes of `text` look like that encoding and there is no mark; else
/// "". Zero bytes behind names or within text are rarely at every second byte, four times in a row, and
/// nowhere else.
[[nodiscard]] std::string likely_utf16(std::string_view text);

/// An encoding that bytes may be in.
struct EncodingGuess {
  std::string encoding;  ///< as to_utf8() takes it
  std::string text;      ///< the bytes read in it
};

/// Encodings that `bytes`, which are no UTF-8, may be in; the likeliest first, at most two.
[[nodiscard]] std::vector<EncodingGuess> likely_encodings(std::string_view bytes);

/// The guesses of likely_encodings() as advice: "it looks like latin1 (café): pass --encoding latin1".
[[nodiscard]] std::string encoding_advice(std::string_view bytes);

}  // namespace headstart
