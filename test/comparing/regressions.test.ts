// The whole way, over generated sites: requests answered by both sides, and by the old side twice; noise learned; verdicts. Of the
// regressions put in at least 99 % are found; at most 1 % of the sites raise a false alarm at any of their paths.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compare } from '../../gateway/comparing/compare.ts'
import { createNoise, type Noise, type PathVerdict } from '../../gateway/comparing/noise.ts'
import { answer, rules, show } from './answers.ts'
import { answerOf, drawsOf, pathHit, type Regression, regress, regressions, type Site, sites } from './sites.ts'

const requests = 150
const sitesDrawn = 120

/** The verdicts on a candidate that is as good as the old side, and on one with the regression. */
function judge(site: Site, regression: Regression): Record<'sound' | 'spoilt', readonly PathVerdict[]> {
  const [sound, spoilt] = [createNoise(), createNoise()]
  const draw = drawsOf(site.seed)
  for (let request = 0; request < requests; request++) {
    const old = answerOf(site, request, draw)
    const candidate = answerOf(site, request, draw)
    const isHit = draw() < regression.share
    sound.observeCandidate(differences(old, candidate))
    spoilt.observeCandidate(differences(old, isHit ? regress(candidate, site, regression) : candidate))
    const again = differences(old, answerOf(site, request, draw))
    for (const noise of [sound, spoilt]) noise.observeOld(again)
  }
  return { sound: alarmsOf(sound), spoilt: alarmsOf(spoilt) }
}

const alarmsOf = (noise: Noise) => noise.judge().filter(({ verdict }) => verdict === 'regression')
const differences = (old: unknown, candidate: unknown) =>
  compare(answer(JSON.stringify(old)), answer(JSON.stringify(candidate)), rules(), show).differences

test('at least 99 % of regressions are found, and at most 1 % of sites raise a false alarm', () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const drawn = fc.sample(fc.tuple(sites, regressions), { numRuns: sitesDrawn, seed })
  const missed: unknown[] = []
  const mistaken: unknown[] = []
  for (const [site, regression] of drawn) {
    const { sound, spoilt } = judge(site, regression)
    const path = pathHit(site, regression)
    const elsewhere = spoilt.filter((alarm) => alarm.path !== path)
    if (elsewhere.length === spoilt.length) missed.push({ site, regression, spoilt })
    if (sound.length + elsewhere.length > 0) mistaken.push({ site, regression, sound, elsewhere })
  }
  console.log(`seed ${seed}: of ${drawn.length} regressions ${missed.length} missed, ${mistaken.length} sites mistaken`)
  expect(missed.length / drawn.length, JSON.stringify(missed.slice(0, 3))).toBeLessThanOrEqual(0.01)
  expect(mistaken.length / drawn.length, JSON.stringify(mistaken.slice(0, 3))).toBeLessThanOrEqual(0.01)
}, 180_000)

test('the sites are noisy: without a second answer of the old side most would raise an alarm', () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const drawn = fc.sample(sites, { numRuns: 100, seed })
  const noisy = drawn.filter((site) => {
    const draw = drawsOf(site.seed)
    return [0, 1, 2].some(
      (request) => differences(answerOf(site, request, draw), answerOf(site, request, draw)).length > 0,
    )
  })
  expect(noisy.length, `seed ${seed}`).toBeGreaterThan(80)
})
