// Just enough JSON for Mesos' messages: read, look up, write again.
//
// Why: the executor is started once for every task, so it must cost next to
// nothing; this is the whole of what it needs. Numbers keep their text, so that a
// task that is sent back is the one that came.
#pragma once
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

struct Json {
  enum Kind { Null, Plain, String, Array, Object } kind = Null;  // Plain: number, true, false
  std::string text;
  std::vector<std::pair<std::string, Json>> parts;

  static Json string(std::string s) { return {String, std::move(s), {}}; }
  static Json plain(std::string s) { return {Plain, std::move(s), {}}; }
  static Json object(std::vector<std::pair<std::string, Json>> parts) { return {Object, "", std::move(parts)}; }
  static Json array(const std::vector<Json>& items) {
    Json out{Array, "", {}};
    for (const auto& item : items) out.parts.emplace_back("", item);
    return out;
  }

  // A member, or null; never fails, so that absent members can be looked through.
  const Json& operator[](const char* name) const {
    static const Json none;
    for (const auto& part : parts)
      if (part.first == name) return part.second;
    return none;
  }
  bool has(const char* name) const { return (*this)[name].kind != Null; }
  double number(double otherwise) const { return kind == Plain ? std::strtod(text.c_str(), nullptr) : otherwise; }
  bool yes(bool otherwise) const { return kind == Plain ? text == "true" : otherwise; }
  void set(const char* name, Json value) { parts.emplace_back(name, std::move(value)); }

  std::string write() const {
    if (kind == Null) return "null";
    if (kind == Plain) return text;
    if (kind == String) return quote(text);
    std::string out(1, kind == Array ? '[' : '{');
    for (const auto& part : parts) {
      if (out.size() > 1) out += ',';
      if (kind == Object) out += quote(part.first) + ':';
      out += part.second.write();
    }
    return out + (kind == Array ? ']' : '}');
  }

  static Json read(const std::string& text) {
    const char* at = text.c_str();
    return value(at);
  }

 private:
  static std::string quote(const std::string& s) {
    std::string out = "\"";
    for (const char c : s) {
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        const char* hex = "0123456789abcdef";
        out += std::string("\\u00") + hex[c >> 4] + hex[c & 15];
      } else {
        out += c;
      }
    }
    return out + '"';
  }
  static void skip(const char*& at) {
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' || *at == ',' || *at == ':') at++;
  }
  static void utf8(std::string& out, unsigned code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 63));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 63));
      out += static_cast<char>(0x80 | (code & 63));
    } else {
      out += static_cast<char>(0xF0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 63));
      out += static_cast<char>(0x80 | (code >> 6 & 63));
      out += static_cast<char>(0x80 | (code & 63));
    }
  }
  static unsigned hex4(const char*& at) {
    const std::string digits(at, 4);
    at += 4;
    return static_cast<unsigned>(std::strtoul(digits.c_str(), nullptr, 16));
  }
  static std::string quoted(const char*& at) {
    std::string out;
    for (at++; *at && *at != '"';) {
      if (*at != '\\') {
        out += *at++;
        continue;
      }
      const char c = at[1];
      at += 2;
      if (c == 'u') {
        unsigned code = hex4(at);
        if (code >= 0xD800 && code < 0xDC00 && at[0] == '\\' && at[1] == 'u') {
          at += 2;
          code = 0x10000 + ((code - 0xD800) << 10) + (hex4(at) - 0xDC00);
        }
        utf8(out, code);
      } else {
        const std::string from = "nrtbf", to = "\n\r\t\b\f";
        const auto i = from.find(c);
        out += i == std::string::npos ? c : to[i];
      }
    }
    if (*at) at++;
    return out;
  }
  static Json value(const char*& at) {
    skip(at);
    if (*at == '"') return string(quoted(at));
    if (*at == '{' || *at == '[') {
      Json out{*at == '{' ? Object : Array, "", {}};
      for (at++, skip(at); *at && *at != '}' && *at != ']'; skip(at)) {
        std::string name;
        if (out.kind == Object) {
          if (*at != '"') return out;
          name = quoted(at);
        }
        out.parts.emplace_back(name, value(at));
      }
      if (*at) at++;
      return out;
    }
    std::string word;
    while (*at && !std::strchr(",]} \n\r\t", *at)) word += *at++;
    return word == "null" || word.empty() ? Json{} : plain(word);
  }
};
