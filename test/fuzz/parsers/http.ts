import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HttpClient } from '../../../src/http/client.ts';
import { isPrivateHost } from '../../../src/http/hosts.ts';
import { nextLink } from '../../../src/http/link-header.ts';
import { redactUrl } from '../../../src/http/redact.ts';
import { serverWaitMs } from '../../../src/http/retry.ts';
import { parseChallenges } from '../../../src/store/auth/auth-challenge.ts';
import { RegistryClient } from '../../../src/store/registry/registry-client.ts';
import { heldBytes } from '../../../src/store/registry/upload/upload-session.ts';
import { bent, orRefused } from '../bent.ts';
import { parser } from './table.ts';

// What servers say in headers and addresses.

// WWW-Authenticate: every parameter found is part of the header.
{
  const header = bent(
    'Bearer realm="https://a/token",service="a",scope="repository:x/y:pull,push"',
    'Basic realm=x, Bearer a=b',
  );
  parser(
    'challenges',
    fc.property(header, text => {
      for (const { scheme, parameters } of parseChallenges(text)) {
        assert.ok(text.toLowerCase().includes(scheme));
        for (const [name] of parameters) assert.ok(text.toLowerCase().includes(name));
      }
    }),
  );
}

// Link: the next page is part of the header, and reading it takes linear time.
{
  const header = bent(
    '</v2/x/tags/list?last=b&n=2>; rel="next"',
    '<https://a/b?c=1,2>; rel=next; title="x", <d>; rel="prev"',
  );
  parser(
    'link header',
    fc.property(header, link => {
      const next = nextLink({ link });
      if (next !== undefined) assert.ok(link.includes(`<${next}>`));
    }),
  );
}

// Range of an upload: a whole number above one, or nothing.
parser(
  'upload range',
  fc.property(bent('0-1023', 'bytes=0-99', '0-0', '0-9007199254740993'), range => {
    const held = heldBytes({ headers: { range } });
    assert.ok(held === undefined || (Number.isSafeInteger(held) && held > 1));
  }),
);

// Retry-After and RateLimit: a wait that is a number, or none.
{
  const header = bent('120', 'Wed, 21 Oct 2026 07:28:00 GMT', '-1', '1e9');
  parser(
    'waits',
    fc.property(header, header, bent('"api";r=0;t=55'), (retryAfter, date, ratelimit) => {
      const waitMs = serverWaitMs({ 'retry-after': retryAfter, date, ratelimit });
      assert.ok(waitMs === undefined || (waitMs >= 0 && !Number.isNaN(waitMs)));
    }),
  );
}

// Location: an HTTP address, encrypted where the registry is, and never a private one that it may not name.
{
  const http = new HttpClient();
  const client = new RegistryClient({ http, registry: 'ghcr.io', credential: async () => undefined });
  const location = bent(
    '/v2/x/blobs/uploads/1?_state=a',
    'https://uploads.example/x?sig=1',
    'https://10.0.0.1/x',
    'https://[::1]/x',
    'http://ghcr.io/x',
    'file:///etc/passwd',
    'https://0x7f000001/',
    '//localhost/x',
  );
  parser(
    'location',
    fc.property(location, text => {
      const url = orRefused(() => client.resolve(text));
      if (url === undefined) return;
      const { protocol, hostname } = new URL(url);
      assert.equal(protocol, 'https:');
      assert.ok(!isPrivateHost(hostname), url);
    }),
  );
}

// A redacted address has neither a password nor an unknown value, and is one line.
parser(
  'redacted addresses',
  fc.property(bent('https://u:secret@a.example/b?sig=secret&n=2#secret', 'https://a/b?secret'), text => {
    const shown = redactUrl(text);
    assert.doesNotMatch(shown, /[\r\n]/);
    if (!/^https?:/.test(shown) || !URL.canParse(shown)) return;
    const { username, password, searchParams, hash } = new URL(shown);
    assert.deepEqual([username, password, hash], ['', '', '']);
    assert.ok(searchParams.getAll('sig').every(value => value === '…'));
  }),
);
