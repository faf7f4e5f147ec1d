// Who a request comes from: two clients are never taken for one, nor one for two.
import { describe, expect, test } from 'vitest'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { StickyBy } from '../../gateway/model.ts'
import { identityOf } from '../../gateway/rollout/identity.ts'

function identify(stickyBy: StickyBy, raw: readonly string[], address = '192.0.2.1'): string | undefined {
  return identityOf(
    { fields: fieldsOf(raw), client: { address, peer: address, peerTrusted: false, tls: false } },
    stickyBy,
  )
}

const session: StickyBy = { by: 'cookie', name: 'SESSION' }

describe('by a cookie', () => {
  test.each([
    ['it alone', ['Cookie', 'SESSION=a1'], 'a1'],
    ['among others', ['Cookie', 'x=1; SESSION=a1; y=2'], 'a1'],
    ['in any case of the field, and without the blank', ['COOKIE', 'x=1;SESSION=a1'], 'a1'],
    ['in the second of two fields (RFC 9113 §8.2.3)', ['cookie', 'x=1', 'cookie', 'SESSION=a1'], 'a1'],
    ['with "=" in its value', ['Cookie', 'SESSION=a=1=='], 'a=1=='],
    ['the first of two, which is the more specific', ['Cookie', 'SESSION=a1; SESSION=b2'], 'a1'],
    ['one whose name only begins like it', ['Cookie', 'SESSIONS=a1'], undefined],
    ['one whose name only ends like it', ['Cookie', 'MYSESSION=a1'], undefined],
    ['one in another case, which is another cookie', ['Cookie', 'session=a1'], undefined],
    ['its name inside the value of another', ['Cookie', 'x=SESSION=a1'], undefined],
    ['an empty one', ['Cookie', 'SESSION='], undefined],
    ['no value at all', ['Cookie', 'SESSION'], undefined],
    ['no cookies', [], undefined],
  ])('%s', (_, raw, identity) => {
    expect(identify(session, raw)).toBe(identity)
  })
})

test('by a field: its value, in whatever case its name comes; an empty one is none', () => {
  const user: StickyBy = { by: 'field', name: 'x-user' }
  expect(identify(user, ['X-User', 'alice'])).toBe('alice')
  expect(identify(user, ['X-User', ''])).toBeUndefined()
  expect(identify(user, ['X-Users', 'alice'])).toBeUndefined()
})

test('by affinity: the cookie of the gateway itself', () => {
  expect(identify({ by: 'affinity' }, ['Cookie', 'SESSION=a1; banyan=Zm9v'])).toBe('Zm9v')
  expect(identify({ by: 'affinity' }, ['Cookie', 'SESSION=a1'])).toBeUndefined()
})

describe('by the address', () => {
  const address: StickyBy = { by: 'address' }

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:1:2::', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2'],
    ['2001:db8::', '2001:db8:0:0'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8::5:6:7:8', '2001:db8:0:0'],
    ['2001:db8:0:0:5:6:7:8', '2001:db8:0:0'],
    ['2001:db8:0:2::8', '2001:db8:0:2'],
    ['2001:db8::2:5:6:7:8', '2001:db8:0:2'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['fe80::1%eth0.100', 'fe80:0:0:0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
  ])('%s is %s: of IPv6 the /64, however it is written', (written, identity) => {
    expect(identify(address, [], written)).toBe(identity)
  })
})
