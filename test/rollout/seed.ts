// Where a test draws its random numbers from: another seed each time, told in its name so that a find is found again.
// The danger it guards against: a row of numbers that happened to suit.
export const seed = Number(process.env.BANYAN_ROLLOUT_SEED ?? Math.floor(Math.random() * 2 ** 31))
