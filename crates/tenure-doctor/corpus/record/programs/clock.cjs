// Preloaded with --require: `Date` of this process is moved by the seconds that the file CLOCK holds.
const fs = require("node:fs");

const RealDate = Date;
const moved = () => RealDate.now() + 1000 * Number(fs.readFileSync(process.env.CLOCK, "utf8") || 0);

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    super(...(parts.length === 0 ? [moved()] : parts));
  }
  static now() {
    return Math.floor(moved());
  }
};
