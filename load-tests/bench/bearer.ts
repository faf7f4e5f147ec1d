// A token of a client, and the keys of its issuer: made anew for each run.
// The danger it guards against: a token that is refused quickly, and looks cheap.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

export const issuer = 'https://issuer.example'
export const audience = 'bench'

const hourSeconds = 3_600
const { privateKey, publicKey } = await generateKeyPair('RS256')

/** A JWK Set, as text. */
export const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'RS256' }] })

/** About 600 characters, as those of most issuers. */
export const bearer = await new SignJWT({ scope: 'bench:read', name: 'somebody who measures' })
  .setProtectedHeader({ alg: 'RS256', kid: 'bench', typ: 'JWT' })
  .setIssuer(issuer)
  .setAudience(audience)
  .setSubject('user-4711')
  .setIssuedAt()
  .setExpirationTime(Math.floor(Date.now() / 1_000) + 10 * hourSeconds)
  .sign(privateKey)
