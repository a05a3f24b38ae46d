// A service that knows nothing of OAuth: it shows the request that reached it, headers and all.
// PORT is where it listens on 127.0.0.1. HTML for a browser, JSON for `Accept: application/json`.

import { createServer } from 'node:http';
import { createHash } from 'node:crypto';

const port = Number(process.env.PORT);
const identityHeaders = ['x-user', 'x-email', 'x-groups'];

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text) => String(text).replace(/[&<>"']/g, (character) => escapes[character]);

const style = `:root{color-scheme:light dark;--ink:#1c2430;--soft:#5a6675;--page:#f3f5f8;--card:#fff;--line:#e2e6ec;--mark:#e8f1ff;--blue:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;--page:#12161c;--card:#1b2129;--line:#2c3541;--mark:#1d2f4a;--blue:#7db2ff}}
body{font:16px/1.55 system-ui,sans-serif;margin:0;background:var(--page);color:var(--ink)}
main{max-width:48rem;margin:0 auto;padding:3rem 1.25rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem}p{color:var(--soft);margin:0 0 1.5rem;max-width:40rem}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:hidden}
h2{font:600 .95rem ui-monospace,monospace;margin:0;padding:.8rem 1.1rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font:.84rem/1.5 ui-monospace,monospace;table-layout:fixed}
th,td{text-align:left;vertical-align:top;padding:.4rem 1.1rem;overflow-wrap:anywhere}th{width:32%;font-weight:400;color:var(--soft)}
tr+tr>*{border-top:1px solid var(--line)}.identity>*{background:var(--mark);color:var(--ink)}.identity th{color:var(--blue);font-weight:600}`;
const styleHash = createHash('sha256').update(style).digest('base64');

function page({ method, path, headers }) {
  const user = headers.find(([name]) => name === 'x-user')?.[1];
  const greeting = user ? `Hello, ${escape(user)}` : 'Hello, stranger';
  const story = user
    ? 'You logged in at the identity provider; Envoy checked that and wrote who you are into the request headers. ' +
      'This service did nothing for it: below is the request just as it came in, with your identity marked.'
    : 'This request reached the service without an identity. Below is the request just as it came in.';
  const logout = user && process.env.LOGOUT ? `<p><a href="${escape(process.env.LOGOUT)}">Log out</a></p>` : '';
  const identity = ([name]) => identityHeaders.includes(name);
  const rows = [...headers.filter(identity), ...headers.filter((line) => !identity(line))].map(([name, value]) => {
    const mark = identity([name]) ? ' class="identity"' : '';
    return `<tr${mark}><th scope="row">${escape(name)}</th><td>${escape(value)}</td></tr>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${greeting}</title><style>${style}</style><main><h1>${greeting}</h1><p>${story}</p>${logout}
<section><h2>${escape(method)} ${escape(path)}</h2><table>${rows.join('\n')}</table></section></main></html>`;
}

// Node reads header bytes as Latin-1, gateways mostly write UTF-8.
function text(value) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

// Every line as it came: names in lower case, repeated ones repeated.
function headerLines(raw) {
  const lines = [];
  for (let at = 0; at < raw.length; at += 2) lines.push([raw[at].toLowerCase(), text(raw[at + 1])]);
  return lines.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

// For programs: one member a name, a list where a name came more than once.
function byName(lines) {
  const members = Object.create(null);
  for (const [name, value] of lines) members[name] = name in members ? [members[name], value].flat() : value;
  return members;
}

const server = createServer((request, response) => {
  request.resume();
  const seen = { method: request.method, path: request.url, headers: headerLines(request.rawHeaders) };
  const wantsJson = (request.headers.accept ?? '').includes('application/json');
  response.setHeader('cache-control', 'no-store');
  if (wantsJson) {
    response.setHeader('content-type', 'application/json');
    return response.end(`${JSON.stringify({ ...seen, headers: byName(seen.headers) }, null, 2)}\n`);
  }
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader(
    'content-security-policy',
    `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
  );
  return response.end(page(seen));
});
server.on('error', (error) => {
  console.error(`the demo service cannot listen on 127.0.0.1:${port}: ${error.message}`);
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => console.log(`demo service at http://127.0.0.1:${port}`));
