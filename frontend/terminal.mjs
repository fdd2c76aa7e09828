// The terminal of a workbench: xterm.js on a WebSocket.
//
// Bytes go both ways as binary messages. What was drawn is told back, so that a program
// that floods the terminal is held up by the server instead of filling the browser's memory.
// One could get it wrong by reconnecting by itself: what comes back is a new shell, and
// whoever typed on would type into another folder than he thinks.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";

// xterm.js makes style elements; the page's policy wants them to carry its nonce.
const nonce = document.querySelector("script[nonce]").nonce;
const make = document.createElement.bind(document);
document.createElement = (name, options) => {
  const made = make(name, options);
  if (name === "style") made.nonce = nonce;
  return made;
};

const place = document.getElementById("terminal");
const said = document.getElementById("said");
const again = document.getElementById("again");
const words = place.dataset;

const dark = () => {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
// Contrast of at least 4.5 to 1, also of colours that programs choose.
const LIGHT = { background: "#ffffff", foreground: "#1b2430", cursor: "#1f56b3", selectionBackground: "#bcd3f5" };
const DARK = { background: "#10151c", foreground: "#dfe6ee", cursor: "#8ab4f8", selectionBackground: "#2f4d7d" };
const terminal = new Terminal({
  cursorBlink: true,
  fontFamily: "ui-monospace, 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', monospace",
  fontSize: 14,
  lineHeight: 1.2,
  minimumContrastRatio: 4.5,
  scrollback: 5000,
  theme: dark() ? DARK : LIGHT,
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open(place);
fit.fit();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  terminal.options.theme = dark() ? DARK : LIGHT;
});

let socket;
const send = (message) => socket?.readyState === WebSocket.OPEN && socket.send(message);
const typed = new TextEncoder();
terminal.onData((text) => send(typed.encode(text)));
terminal.onBinary((text) => send(Uint8Array.from(text, (c) => c.charCodeAt(0))));
terminal.onResize(({ cols, rows }) => send(JSON.stringify({ size: [cols, rows] })));
new ResizeObserver(() => fit.fit()).observe(place);

// Ctrl-Shift-C copies: Ctrl-C belongs to the shell. Pasting is the browser's own.
terminal.attachCustomKeyEventHandler((e) => {
  if (e.type === "keydown" && e.ctrlKey && e.shiftKey && e.code === "KeyC" && terminal.hasSelection()) {
    navigator.clipboard?.writeText(terminal.getSelection());
    e.preventDefault();
    return false;
  }
  return true;
});

const connect = () => {
  said.textContent = words.connecting;
  again.hidden = true;
  terminal.reset();
  const url = new URL(words.socket, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("columns", terminal.cols);
  url.searchParams.set("rows", terminal.rows);
  socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    said.textContent = "";
    document.documentElement.dataset.live = "on";
    terminal.focus();
  };
  socket.onmessage = ({ data }) => {
    const bytes = new Uint8Array(data);
    terminal.write(bytes, () => send(JSON.stringify({ shown: bytes.length })));
  };
  socket.onclose = ({ code }) => {
    said.textContent = code === 1000 ? words.closed : code === 4401 ? words.signedOut : words.cut;
    again.hidden = false;
    again.focus();
  };
};
again.addEventListener("click", connect);
connect();
