// JSON as a verifier needs it (RFC 8259): a whole number is exact whatever its size (a BigInt), and 1.0 is not 1.
// JavaScript's own JSON.parse knows neither.

const DEPTH_LIMIT = 900;
const DIGITS_LIMIT = 4300;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|NaN|-?Infinity/y;
const ESCAPES = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?:^|[^\ud800-\udbff])[\udc00-\udfff]/;

/** A number that is not whole; nothing in the format is one. */
class Fraction {
  constructor(text) {
    this.text = text;
  }
}

class JsonReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail() {
    return new SyntaxError(`no JSON at ${this.at}`);
  }

  space() {
    while (' \t\n\r'.includes(this.text[this.at] || 'x')) this.at++;
  }

  take(expected) {
    if (!this.text.startsWith(expected, this.at)) throw this.fail();
    this.at += expected.length;
  }

  whole() {
    this.space();
    const value = this.value(0);
    this.space();
    if (this.at !== this.text.length) throw this.fail();
    return value;
  }

  value(depth) {
    if (depth > DEPTH_LIMIT) throw this.fail();
    switch (this.text[this.at]) {
      case '{': return this.object(depth);
      case '[': return this.list(depth);
      case '"': return this.string();
      case 't': this.take('true'); return true;
      case 'f': this.take('false'); return false;
      case 'n': this.take('null'); return null;
      default: return this.number();
    }
  }

  number() {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) throw this.fail();
    this.at = NUMBER.lastIndex;
    if (found[1] || found[2] || /[NI]/.test(found[0])) return new Fraction(found[0]);
    if (found[0].length > DIGITS_LIMIT) throw this.fail();
    return BigInt(found[0]);
  }

  string() {
    this.take('"');
    let out = '';
    for (;;) {
      const character = this.text[this.at++];
      if (character === undefined || character < ' ') throw this.fail();
      if (character === '"') break;
      out += character === '\\' ? this.escaped() : character;
    }
    if (LONE_SURROGATE.test(out)) throw this.fail();
    return out;
  }

  escaped() {
    const character = this.text[this.at++];
    if (character !== 'u') {
      if (!(character in ESCAPES)) throw this.fail();
      return ESCAPES[character];
    }
    const digits = this.text.substr(this.at, 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.fail();
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }

  list(depth) {
    return this.items('[', ']', () => this.value(depth + 1));
  }

  object(depth) {
    const found = Object.create(null);
    this.items('{', '}', () => {
      const name = this.string();
      this.space();
      this.take(':');
      this.space();
      found[name] = this.value(depth + 1);
    });
    return found;
  }

  items(open, close, item) {
    const found = [];
    this.take(open);
    this.space();
    if (this.text[this.at] === close) {
      this.at++;
      return found;
    }
    for (;;) {
      this.space();
      found.push(item());
      this.space();
      if (this.text[this.at] === close) break;
      this.take(',');
    }
    this.at++;
    return found;
  }
}

/** A JSON object out of UTF-8 bytes. Throws for anything else. */
function readJsonObject(bytes) {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const value = new JsonReader(text).whole();
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Fraction) {
    throw bad('jws_no_object');
  }
  return value;
}
