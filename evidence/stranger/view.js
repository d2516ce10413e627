// What a reader sees: one verdict, one sentence why, then the details. Text only ever becomes text nodes.

const SHOWN = 20;
const MEDIA_KINDS = { segment: 'recording', still: 'photo', voice_note: 'note' };
const CLASS_OF = {
  'authentic': 'good', 'authentic with gaps': 'gaps', 'newer version': 'unsure', 'unknown key': 'unsure',
  'not signed': 'unsure', 'not authentic': 'bad',
};
const MARK_OF = { good: '✓', gaps: '◐', unsure: '?', bad: '✕' };

/** An element: `h('p.lead', child, ...)`; strings become text. */
function h(name, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(' ');
  element.append(...children.filter((one) => one !== null && one !== undefined));
  return element;
}

const two = (number) => String(number).padStart(2, '0');

/** Microseconds of UTC as the recorder's own local time, with its offset. */
function localTime(utcUs, offsetMin) {
  const shifted = utcUs + BigInt(offsetMin) * 60000000n;
  const whole = new Date(Number(shifted / 1000n)).toISOString().slice(0, 19).replace('T', ' ');
  const away = Math.abs(offsetMin);
  return `${whole} (UTC${offsetMin < 0 ? '−' : '+'}${Math.floor(away / 60)}${away % 60 ? `:${two(away % 60)}` : ''})`;
}

/** From one instant to another; the day is not said twice. */
function timeRange(startUs, endUs, offsetMin) {
  const [start, end] = [startUs, endUs].map((one) => localTime(one, offsetMin));
  const [day, clock, zone] = start.split(' ');
  return end.startsWith(day) ? `${day} ${clock} – ${end.slice(day.length + 1).split(' ')[0]} ${zone}` : `${start} – ${end}`;
}

function lengthOf(us) {
  const ms = Number(us / 1000n);
  const [hours, minutes, seconds] = [Math.floor(ms / 3600000), Math.floor(ms / 60000) % 60, (ms % 60000) / 1000];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${seconds.toFixed(3).padStart(6, '0')}`;
}

function clockWords({ grade, errorUs }) {
  const bound = errorUs === null ? '' : ` (± ${(Number(errorUs) / 1000).toLocaleString('en')} ms)`;
  return term('grade', grade) + bound;
}

function facts(rows) {
  const list = h('dl.facts');
  for (const [name, value] of rows) if (value !== null && value !== '') list.append(h('div', h('dt', say(name)), h('dd', value)));
  return list;
}

function defectLine(defect) {
  const place = sayPlace(defect.where);
  return h(`li.${CLASS_OF[defect.verdict]}`, place === '' ? null : h('b', place), place === '' ? null : language === 'en' ? ': ' : '：', sayDefect(defect));
}

function verdictBlock(result) {
  const kind = CLASS_OF[result.verdict];
  const block = h(`section.verdict.${kind}`, h('p.mark', MARK_OF[kind]), h('h2', fill(VERDICT_WORDS[result.verdict])));
  block.append(h('p.why', fill(VERDICT_MEANS[result.verdict])));
  if (result.first !== null) {
    const label = say(kind === 'gaps' ? 'first_gap' : 'first_defect');
    block.append(h('p.first', h('span', label), h('ul', defectLine(result.first))));
  }
  const counted = { entries: result.entries, segments: result.segments, blobs: result.blobs, mb: (result.bytes / 1e6).toFixed(1) };
  block.append(h('p.counted', say('checked', counted)));
  return block;
}

function othersBlock(result) {
  if (result.defects.length < 2) return null;
  const list = h('ul', ...result.defects.slice(0, SHOWN).map(defectLine));
  const more = result.defects.length - SHOWN;
  return h('section', h('h3', say('others')), list, more > 0 ? h('p', say('more', { count: more })) : null);
}

/** Who wore the recorder when an entry was written. */
function officerAt(journal, seq) {
  if (!journal) return null;
  const before = journal.entries.filter((one) => one.kind === 'sign_on' && one.seq <= seq);
  return before.length > 0 ? before[before.length - 1].fields : null;
}

function receiptOf(result, entry) {
  const word = result.dock === null ? undefined : result.dock.words.find((one) => answers(one, entry)
    && (one.fields.seal_hash || one.fields.entry_hash) === entry.hash);
  return word === undefined ? null : say('receipt_of', { at: localTime(word.at.utcUs, word.at.offsetMin), seq: word.seq });
}

/** Every fragment of a journal on its own line of time, by segment and index. */
function fragmentTimes(journal) {
  const found = new Map();
  for (const { segment, index, interval } of fragmentsOf(journal.entries, new TimeLine(journal.entries))) {
    if (!found.has(segment)) found.set(segment, []);
    found.get(segment).push([Number(index), interval]);
  }
  return found;
}

/** When the pictures of a segment were taken that are here, by the journal's own line of time. */
function takenOf({ journal, kind, entry, parts }, times) {
  const all = (kind === 'segment' && journal && times.get(journal).get(entry.fields.segment)) || [];
  const missing = new Set(parts === null ? [] : parts.missing);
  const here = all.filter(([index]) => !missing.has(index)).map(([, interval]) => interval);
  if (here.length === 0) return null;
  return timeRange(here.map(([start]) => start).reduce(min), here.map(([, end]) => end).reduce(max), entry.at.offsetMin);
}

function partsStrip({ parts, missing, wrong }) {
  const gone = new Set(missing);
  const strip = h('div.parts');
  strip.setAttribute('aria-hidden', 'true');
  for (let index = 0; index < Math.min(parts, 400); index++) strip.append(h(index === wrong ? 'i.wrong' : gone.has(index) ? 'i.gone' : 'i'));
  return strip;
}

function itemBlock(result, item, times) {
  const kind = CLASS_OF[item.verdict];
  const { entry } = item;
  const name = item.kind === null ? say('file') : say(MEDIA_KINDS[item.kind]);
  const head = h('header', h(`span.badge.${kind}`, MARK_OF[kind], ' ', fill(VERDICT_WORDS[item.verdict])), h('h4', item.name),
    h('small', name, item.sealed ? ` · ${say('sealed')}` : ''));
  const block = h(`article.${kind}`, head);
  if (item.defects.length > 0) block.append(h('ul', ...item.defects.slice(0, SHOWN).map(defectLine)));
  if (entry === null || item.kind === null) return block;
  if (item.parts !== null) block.append(partsStrip(item.parts));
  const officer = officerAt(item.journal, entry.seq);
  const parts = item.parts === null ? null : say(item.parts.wrong === null ? 'parts_of' : 'parts_fit', { parts: item.parts.parts, there: item.parts.parts - item.parts.missing.length });
  block.append(facts([
    ['device', entry.device],
    ['officer', officer ? `${officer.name} (${officer.officer})` : entry.fields.officer || null],
    ['unit', officer ? officer.unit : null],
    ['time', takenOf(item, times)],
    ['sealed_length', item.kind === 'segment' ? lengthOf(entry.fields.duration_us) : null],
    ['parts', parts],
    ['signed_at', localTime(entry.at.utcUs, entry.at.offsetMin)],
    ['clock', clockWords(entry.at)],
    ['entry', say('entry_of', { seq: entry.seq, device: entry.device, kind: term('kind', entry.kind) })],
    ['key', `${entry.token.header.alg} ${entry.kid.slice(0, 12)}…`],
    ['receipt', receiptOf(result, entry)],
  ]));
  return block;
}

const USE_COLOURS = { recorded: '#2e6f57', explained: '#d3a12b', unexplained: '#b3261e', standby: '#c9cfd6', off: '#eceef0' };

/** The shift as one bar, to scale; what is thinner than a hair is still shown. */
function barOf(account) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const whole = Number(account.endUs - account.startUs) || 1;
  const put = (span) => {
    const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    const x = (Number(span.startUs - account.startUs) / whole) * 1000;
    const least = span.use === 'unexplained' || span.use === 'explained' ? 3 : 0;
    const width = Math.max((Number(span.endUs - span.startUs) / whole) * 1000, least);
    const sizes = { x: Math.min(x, 1000 - width), y: 0, width, height: 40, fill: USE_COLOURS[span.use] };
    for (const [name, value] of Object.entries(sizes)) rect.setAttribute(name, value);
    svg.append(rect);
  };
  svg.setAttribute('viewBox', '0 0 1000 40');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'bar');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', USES.map((use) => `${say(use)} ${lengthOf(account.totals[use])}`).join(', '));
  // What matters most is drawn last, so that nothing lies over it.
  for (const use of ['off', 'standby', 'recorded', 'explained', 'unexplained']) account.spans.filter((one) => one.use === use).forEach(put);
  return svg;
}

function legendOf(account) {
  const list = h('ul.legend');
  for (const use of USES) list.append(h('li', h(`i.${use}`), h('span', say(use)), h('b', lengthOf(account.totals[use]))));
  list.append(h('li.total', h('span', say('total')), h('b', lengthOf(account.endUs - account.startUs))));
  return list;
}

function interruptionsOfAccount(account, offsetMin) {
  if (account.interruptions.length === 0) return h('p.quiet', say('interruptions_none'));
  const heads = ['began', 'length', 'cause', 'reason', 'state'];
  const body = h('tbody');
  for (const one of account.interruptions) {
    const part = one.part === null ? '' : ` (${term('part', one.part)})`;
    const cells = [localTime(one.startUs, offsetMin), one.endUs === null ? say('lasts') : lengthOf(one.endUs - one.startUs),
      term('cause', one.cause) + part, one.reason === null ? say('none') : term('reason', one.reason), term('state', one.state)];
    const row = h('tr', ...cells.map((cell, at) => {
      const td = h('td', cell);
      td.dataset.head = say(heads[at]);
      return td;
    }));
    if (one.reason === null && one.state !== 'written') row.className = 'open';
    body.append(row);
  }
  return h('table', h('thead', h('tr', ...heads.map((name) => h('th', say(name))))), body);
}

/** The interruptions of a recorder that the dock has a written explanation of. */
function writtenOf(result, device) {
  const words = result.dock === null ? [] : result.dock.words;
  return words.filter((one) => one.kind === 'explanation' && one.fields.recorder === device).map((one) => one.fields.interruption);
}

function accountsBlock(result) {
  const block = h('section.account', h('h3', say('account')));
  for (const journal of result.recorders) {
    const accounts = accountsOf(journal.entries, writtenOf(result, journal.device));
    for (const account of accounts) {
      const { offsetMin, grade } = journal.entries[journal.entries.length - 1].at;
      const officer = officerAt(journal, COUNT_END);
      block.append(h('div.shift',
        h('h4', `${journal.device} `, h('small', officer === null ? '' : `${officer.name} · ${officer.unit}`)),
        h('p.span', `${timeRange(account.startUs, account.endUs, offsetMin)} · ${say('clock')}: ${term('grade', grade)}`),
        barOf(account), legendOf(account), h('h5', say('interruptions')), interruptionsOfAccount(account, offsetMin)));
    }
    if (!journal.whole) block.append(h('p.quiet', say('account_cut')));
  }
  if (result.recorders.length === 0) block.append(h('p.quiet', say('account_none')));
  return block;
}

function trustBlock({ trust }) {
  if (trust === null) return null;
  return h('section.trust', h('h3', say('trust')), h('p', h('b', trust.name)), h('p.print', trust.fingerprint), h('p.quiet', say('trust_more')));
}

function resultView(result) {
  const times = new Map(result.recorders.map((one) => [one, fragmentTimes(one)]));
  const items = result.items.length === 0 ? null : h('section', h('h3', say('files')), ...result.items.map((item) => itemBlock(result, item, times)));
  const strange = result.other.length === 0 ? null : h('p.quiet', say('not_judged', { names: result.other.join(', ') }));
  const judged = result.trust === null ? null : accountsBlock(result);
  return [verdictBlock(result), items, judged, othersBlock(result), trustBlock(result), strange].filter((one) => one !== null);
}
