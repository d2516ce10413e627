// The page itself: takes files, runs the judgement, shows it. Keeps nothing.

const BREATH_MS = 40;
const NEEDS = {
  root: (name) => /\.(pem|crt|cer)$/i.test(name),
  file: (name) => MEDIA.includes(suffixOf(name)),
  entry: (name) => suffixOf(name) === '.jws',
};
const state = { files: [], result: null, run: 0 };
const at = (id) => document.getElementById(id);

function drawNeeds() {
  const needs = Object.entries(NEEDS).map(([name, fits]) => [name, state.files.some((file) => fits(file.name))]);
  needs.push(['dock', state.result !== null && state.result.dock !== null]);
  at('needs').replaceChildren(...needs.map(([name, given]) => h(given ? 'li.given' : 'li',
    h('b', say(`need_${name}`)), h('small', given ? `✓ ${say('given')}` : say(`need_${name}_more`)))));
}

function draw() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.title = `${say('title')} · liuhen 留痕`;
  for (const one of document.querySelectorAll('[data-say]')) one.textContent = say(one.dataset.say);
  for (const one of document.querySelectorAll('[data-language]')) one.setAttribute('aria-pressed', one.dataset.language === language);
  const call = document.querySelector('#drop .call');
  call.textContent = say(state.files.length > 0 ? 'drop_more' : 'drop');
  document.body.classList.toggle('judged', state.result !== null);
  at('clear').hidden = state.files.length === 0;
  drawNeeds();
  at('result').replaceChildren(...(state.result === null ? [] : resultView(state.result)));
  document.documentElement.dataset.verdict = state.result === null ? '' : state.result.verdict;
}

/** Told of every piece of work; lets the browser breathe and shows how far it is. */
function ticker(run, total) {
  const bar = document.querySelector('#progress progress');
  let done = 0;
  let last = performance.now();
  return async (bytes) => {
    done += bytes;
    if (performance.now() - last < BREATH_MS) return;
    bar.value = total === 0 ? 1 : Math.min(1, done / total);
    await new Promise((resolve) => { setTimeout(resolve); });
    if (run !== state.run) throw new Superseded();
    last = performance.now();
  };
}

/** Other files have been given meanwhile. */
class Superseded extends Error {}

async function judgeAgain() {
  state.run += 1;
  const { run } = state;
  state.result = null;
  draw();
  // A root alone is nothing to judge.
  if (state.files.every((file) => NEEDS.root(file.name))) return;
  at('progress').hidden = false;
  try {
    state.result = await judgeFiles(state.files, ticker(run, state.files.reduce((sum, file) => sum + file.size, 0)));
  } catch (error) {
    if (error instanceof Superseded) return;
    at('progress').hidden = true;
    at('result').replaceChildren(h('section.verdict.unsure', h('h2', say('failed')), h('p', String(error))));
    throw error;
  }
  at('progress').hidden = true;
  draw();
}

function take(files) {
  const known = new Map(state.files.map((file) => [file.path, file]));
  for (const file of files) known.set(file.path, file);
  state.files = [...known.values()];
  return judgeAgain();
}

/** All files of a dropped folder; a plain file is itself. */
async function filesIn(entry) {
  if (entry.isFile) return [fileOf(await new Promise((done, failed) => { entry.file(done, failed); }), entry.fullPath.slice(1))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => { reader.readEntries(done, failed); });
    if (some.length === 0) return (await Promise.all(found.map(filesIn))).flat();
    found.push(...some);
  }
}

function listen() {
  for (const id of ['files', 'folder']) {
    at(id).addEventListener('change', (event) => {
      const files = [...event.target.files].map((file) => fileOf(file));
      event.target.value = '';
      take(files);
    });
  }
  at('clear').addEventListener('click', () => {
    state.files = [];
    judgeAgain();
  });
  at('languages').addEventListener('click', (event) => {
    language = event.target.dataset.language || language;
    draw();
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('over');
  });
  document.addEventListener('dragleave', () => document.body.classList.remove('over'));
  document.addEventListener('drop', async (event) => {
    event.preventDefault();
    document.body.classList.remove('over');
    const entries = [...event.dataTransfer.items].map((one) => one.webkitGetAsEntry()).filter((one) => one !== null);
    take((await Promise.all(entries.map(filesIn))).flat());
  });
}

listen();
draw();
