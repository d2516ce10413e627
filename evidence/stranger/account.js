// What every instant of a shift was (docs/FORMAT.md section 10): a partition in whole microseconds, so it adds up.

const BRIDGE_US = 40000n;
const KEY_FRAME_US = 1500000n;
const FAR_US = 1n << 63n;
const USES = ['recorded', 'explained', 'unexplained', 'standby', 'off'];
const FRAGMENT_KINDS = ['fragment', 'recovered'];
const STANDINGS = {
  open: { reason: 'explained', reported: 'reported', written: 'written' },
  explained: { reported: 'reported', written: 'written' },
  reported: { written: 'written' },
  written: {},
};

const max = (a, b) => (a > b ? a : b);
const min = (a, b) => (a < b ? a : b);
const byNumber = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const byPair = (a, b) => byNumber(a[0], b[0]) || byNumber(a[1], b[1]);

/** How many of a sorted list's items are at most `wanted` (or below it). */
function countUpTo(list, wanted, key, including) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = key(list[middle]);
    if (value < wanted || (including && value === wanted)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How far the explanation of each interruption has come. */
function standingsOf(entries, written) {
  const found = new Map();
  const move = (name, kind) => found.set(name, STANDINGS[found.get(name)][kind] || found.get(name));
  for (const { kind, fields } of entries) {
    if (!['interruption', 'reason', 'reported', 'written'].includes(kind)) continue;
    const name = fields.interruption;
    if (kind !== 'interruption') {
      if (found.has(name)) move(name, kind);
    } else if (!found.has(name)) {
      found.set(name, 'open');
    }
  }
  for (const name of written) if (found.has(name)) move(name, 'written');
  return found;
}

/** Where every boot lies on one line that never goes back. Within a boot its own clock rules. */
class TimeLine {
  constructor(entries) {
    this.shifts = new Map();
    this.powered = [];
    const boots = new Map();
    for (const { at } of entries) {
      if (!boots.has(at.boot)) boots.set(at.boot, []);
      boots.get(at.boot).push(at);
    }
    let end = null;
    for (const [boot, stamps] of boots) {
      const best = stamps.reduce((a, b) => (GRADES.indexOf(b.grade) >= GRADES.indexOf(a.grade) ? b : a));
      const times = stamps.map((stamp) => stamp.bootUs);
      const [first, last] = [times.reduce(min), times.reduce(max)];
      let shift = best.utcUs - best.bootUs;
      if (end !== null) shift = max(shift, end - first);
      this.shifts.set(boot, shift);
      end = shift + last;
      this.powered.push([shift + first, end]);
    }
  }

  at(stamp) {
    return this.place(stamp.boot, stamp.bootUs);
  }

  place(boot, bootUs) {
    const shift = this.shifts.get(boot);
    return (shift === undefined ? this.powered[0][0] - bootUs : shift) + bootUs;
  }
}

function merge(intervals, bridge) {
  const merged = [];
  for (const [start, end] of intervals.filter(([a, b]) => a < b).sort(byPair)) {
    const last = merged[merged.length - 1];
    if (last !== undefined && start <= last[1] + bridge) last[1] = max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

function covers(intervals, instant) {
  const place = countUpTo(intervals, instant, ([start]) => start, true) - 1;
  return place >= 0 && instant < intervals[place][1];
}

/** The first fragment that begins at or after an instant. */
function beginAfter(recorded, instant) {
  const found = recorded[countUpTo(recorded, instant, ([start]) => start, false)];
  return found === undefined ? null : found[0];
}

/** Each fragment's interval, with its segment and index. */
function fragmentsOf(entries, line) {
  const epochs = new Map();
  const found = [];
  for (const { kind, fields } of entries) {
    if (kind === 'init') {
      epochs.set(fields.segment, [fields.boot, fields.epoch_boot_us]);
    } else if (FRAGMENT_KINDS.includes(kind) && epochs.has(fields.segment)) {
      const [boot, epoch] = epochs.get(fields.segment);
      const start = line.place(boot, epoch + fields.pts_us);
      found.push({ interval: [start, start + fields.duration_us], segment: fields.segment, index: fields.index });
    }
  }
  return found;
}

/** From start to stop, breaks included; one that nobody stopped lasts to the end of the journal. */
function recordingsOf(entries, line) {
  const end = entries.map((entry) => line.at(entry.at)).reduce(max);
  const running = new Map();
  for (const { kind, fields, at } of entries) {
    if (kind === 'recording_started') {
      running.set(fields.recording, [line.at(at), end]);
    } else if (kind === 'recording_stopped' && running.has(fields.recording)) {
      const [start] = running.get(fields.recording);
      running.set(fields.recording, [start, max(start, line.place(at.boot, fields.ended_boot_us))]);
    }
  }
  return running;
}

/** Declared pauses with a reason, each up to its limit, and pictures that the sensor did not give. */
function knownGaps(entries, line, recorded) {
  const end = entries.map((entry) => line.at(entry.at)).reduce(max);
  const reasoned = new Set(entries.filter((one) => one.kind === 'pause_reason').map((one) => one.fields.pause));
  const ended = new Map();
  for (const one of entries) if (one.kind === 'pause_ended') ended.set(one.fields.pause, line.at(one.at));
  const found = [];
  for (const { kind, fields, at } of entries) {
    if (kind === 'paused' && reasoned.has(fields.pause)) {
      const began = line.at(at);
      let over = ended.has(fields.pause) ? ended.get(fields.pause) : end;
      // The picture comes back with the next key frame.
      const first = beginAfter(recorded, over);
      if (first !== null && first - over < KEY_FRAME_US) over = first;
      found.push([began, min(over, began + fields.limit_s * 1000000n)]);
    } else if (kind === 'skipped') {
      found.push([line.place(at.boot, fields.from_boot_us), line.place(at.boot, fields.to_boot_us)]);
    }
  }
  return found;
}

/** The true gap around a break: from the end of the last picture before it to the first picture after it. */
function gapOf(recorded, began, resumed, edge, limit) {
  const before = recorded.filter(([start]) => start <= began).map(([, end]) => end);
  const start = max(edge, min(before.length > 0 ? before.reduce(max) : began, limit));
  if (resumed === undefined) return [start, max(start, limit)];
  const after = beginAfter(recorded, start);
  return [start, max(start, min(after === null ? resumed : after, limit))];
}

/** The breaks of each recording, one after the other and never over one another. */
function interruptionsOf(entries, line, recorded, recordings, states) {
  const reasons = new Map();
  const resumed = new Map();
  const stopped = new Set();
  const unpaused = [];
  const broken = new Map();
  for (const { kind, fields, at } of entries) {
    if (kind === 'pause_ended') unpaused.push(line.at(at));
    if (kind === 'reason') reasons.set(fields.interruption, fields.reason);
    if (kind === 'resumed') resumed.set(fields.interruption, line.at(at));
    if (kind === 'recording_stopped') stopped.add(fields.recording);
    if (kind !== 'interruption') continue;
    if (!broken.has(fields.recording)) broken.set(fields.recording, []);
    broken.get(fields.recording).push({ began: line.at(readTime(fields.began)), fields });
  }
  const found = [];
  for (const [recording, breaks] of broken) {
    breaks.sort((a, b) => byNumber(a.began, b.began));
    const span = recordings.get(recording) || [breaks[0].began, breaks[breaks.length - 1].began];
    let [edge] = span;
    breaks.forEach(({ began, fields }, place) => {
      const name = fields.interruption;
      const following = breaks[place + 1];
      const limit = following === undefined ? span[1] : min(span[1], following.began);
      // What broke when a pause ended, or after it, is no part of the pause.
      edge = unpaused.filter((one) => one <= began).reduce(max, edge);
      const gap = gapOf(recorded, began, resumed.get(name), edge, limit);
      const lasts = following === undefined && !resumed.has(name) && !stopped.has(recording);
      found.push({
        interruption: name, recording, cause: fields.cause, part: fields.part, reason: reasons.get(name) || null,
        startUs: gap[0], endUs: lasts ? null : gap[1], state: states.get(name),
      });
      [, edge] = gap;
    });
  }
  return found.sort((a, b) => byNumber(a.startUs, b.startUs));
}

const isExplained = (one) => one.reason !== null || one.state === 'written';

/** A shift begins with power on or leaving the dock, and ends at docking or with the journal. */
function shiftsOf(entries, line) {
  const found = [];
  let start = null;
  let last = line.at(entries[0].at);
  for (const { kind, at } of entries) {
    last = max(last, line.at(at));
    if ((kind === 'power_on' || kind === 'undocked') && start === null) {
      start = last;
    } else if (kind === 'docked' && start !== null) {
      found.push([start, last]);
      start = null;
    }
  }
  if (start !== null) found.push([start, last]);
  return found;
}

function spansOf([start, end], borders, useAt) {
  const spans = [];
  const from = countUpTo(borders, start, (one) => one, true);
  const to = countUpTo(borders, end, (one) => one, false);
  const inside = [start, ...borders.slice(from, max(from, to)), end];
  for (let place = 0; place + 1 < inside.length; place++) {
    const [left, right] = [inside[place], inside[place + 1]];
    const use = useAt(left);
    const last = spans[spans.length - 1];
    if (last !== undefined && last.use === use) last.endUs = right;
    else if (left < right) spans.push({ startUs: left, endUs: right, use });
  }
  return spans;
}

/** One account for each shift in a recorder's journal, oldest first. `written`: what the dock has in writing. */
function accountsOf(entries, written) {
  if (entries.length === 0) return [];
  const line = new TimeLine(entries);
  const recorded = merge(fragmentsOf(entries, line).map((one) => one.interval), BRIDGE_US);
  const recordings = recordingsOf(entries, line);
  const broken = interruptionsOf(entries, line, recorded, recordings, standingsOf(entries, written));
  const inside = merge([...recordings.values()], 0n);
  const powered = merge(line.powered, 0n);
  const openEnd = [...inside, ...line.powered].map(([, end]) => end).reduce(max, 0n);
  const closed = broken.filter(isExplained).map((one) => [one.startUs, one.endUs === null ? openEnd : one.endUs]);
  const explained = merge([...closed, ...knownGaps(entries, line, recorded)], 0n);
  const useAt = (instant) => {
    if (covers(recorded, instant)) return 'recorded';
    if (covers(inside, instant)) return covers(explained, instant) ? 'explained' : 'unexplained';
    return covers(powered, instant) ? 'standby' : 'off';
  };
  const borders = [...new Set([recorded, inside, explained, powered].flat(2))].sort(byNumber);
  const shifts = shiftsOf(entries, line);
  const accounts = shifts.map((shift) => ({
    startUs: shift[0], endUs: shift[1], spans: spansOf(shift, borders, useAt), interruptions: [],
  }));
  for (const one of accounts.length > 0 ? broken : []) {
    accounts[Math.max(0, countUpTo(shifts, one.startUs, ([start]) => start, true) - 1)].interruptions.push(one);
  }
  for (const account of accounts) account.totals = totalsOf(account);
  return accounts;
}

function totalsOf(account) {
  const totals = {};
  for (const use of USES) {
    totals[use] = account.spans.filter((span) => span.use === use)
      .reduce((sum, span) => sum + span.endUs - span.startUs, 0n);
  }
  return totals;
}
