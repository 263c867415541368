// A Socket.IO server that emits one message to everybody, HZ times a second: node socketio.cjs PORT HZ PAYLOADFILE
// The payload's "sent" is the time of each round, as a tick begins one of ours.
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const [port, hz, file] = process.argv.slice(2);
const payload = JSON.parse(readFileSync(file, "utf8"));
const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });
setInterval(() => {
  const { data, ...head } = payload;
  io.emit("ticker", { ...head, sent: Number((performance.timeOrigin + performance.now()).toFixed(3)), data });
}, 1000 / Number(hz));
http.listen(Number(port), "127.0.0.1");
