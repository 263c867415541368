// @ts-check
// One paint an animation frame: whoever has something to draw asks here. A hidden tab draws nothing and catches up.

/** @type {Set<() => void>} */
const wanted = new Set();
/** @type {(() => void)[]} */
const painted = [];
let asked = false;

/** Draw `paint` in the next frame, once however often it is asked for. @param {() => void} paint */
export function onFrame(paint) {
  wanted.add(paint);
  if (!asked) {
    asked = true;
    requestAnimationFrame(draw);
  }
}

/** Call back at the end of the paint of the next frame. @param {() => void} done */
export function afterPaint(done) {
  painted.push(done);
}

const channel = new MessageChannel();
channel.port1.onmessage = () => {
  for (const done of painted.splice(0)) done();
};

function draw() {
  asked = false;
  const now = [...wanted];
  wanted.clear();
  for (const paint of now) {
    try {
      paint();
    } catch (error) {
      console.error("a panel could not be drawn", error);
    }
  }
  // A message posted in a frame is handled after its paint.
  if (painted.length) channel.port2.postMessage(null);
}
