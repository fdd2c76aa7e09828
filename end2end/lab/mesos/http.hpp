// HTTP/1.1 to an address on this machine: calls, and one answer read as a stream.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// A connection to a numeric address; -1 if there is none. `seconds` holds for every step.
inline int dial(const std::string& address, int port, double seconds) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return -1;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (seconds > 0) {
    timeval limit{};
    limit.tv_sec = static_cast<time_t>(seconds);
    limit.tv_usec = static_cast<suseconds_t>((seconds - static_cast<double>(limit.tv_sec)) * 1e6);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

class Exchange {
 public:
  Exchange(const std::string& address, int port, double seconds) : fd(dial(address, port, seconds)) {}
  Exchange(const Exchange&) = delete;
  ~Exchange() {
    if (fd >= 0) close(fd);
  }

  // Sends it and reads the answer's head: its status, 0 if there is none.
  int ask(const std::string& request) {
    if (fd < 0) return 0;
    for (size_t sent = 0; sent < request.size();) {
      const ssize_t n = send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return 0;
      sent += static_cast<size_t>(n);
    }
    const std::string first = line();
    if (first.compare(0, 5, "HTTP/")) return 0;
    for (std::string header = line(); !header.empty(); header = line()) {
      for (auto& c : header) c = static_cast<char>(tolower(c));
      if (!header.compare(0, 18, "transfer-encoding:") && header.find("chunked") != std::string::npos) chunked = true;
    }
    const auto space = first.find(' ');
    return space == std::string::npos ? 0 : atoi(first.c_str() + space);
  }

  // One message in RecordIO framing: its length in decimal, a newline, that many bytes.
  bool record(std::string& out) {
    std::string digits;
    char c;
    while (body(c) && c != '\n') digits += c;
    size_t left = strtoul(digits.c_str(), nullptr, 10);
    for (out.clear(); left > 0 && body(c); left--) out += c;
    return left == 0 && !digits.empty();
  }

 private:
  int fd;
  bool chunked = false;
  size_t in_chunk = 0;
  std::string buffer;
  size_t at = 0;

  bool raw(char& c) {
    if (at == buffer.size()) {
      char piece[16384];
      const ssize_t n = recv(fd, piece, sizeof piece, 0);
      if (n <= 0) return false;
      buffer.assign(piece, static_cast<size_t>(n));
      at = 0;
    }
    c = buffer[at++];
    return true;
  }
  std::string line() {
    std::string out;
    for (char c; raw(c) && c != '\n';)
      if (c != '\r') out += c;
    return out;
  }
  bool body(char& c) {
    if (!chunked) return raw(c);
    if (in_chunk == 0) {
      std::string size = line();
      if (size.empty()) size = line();  // what follows a chunk
      in_chunk = strtoul(size.c_str(), nullptr, 16);
      if (in_chunk == 0) return false;
    }
    in_chunk--;
    return raw(c);
  }
};
