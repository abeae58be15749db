import { describe, expect, it } from 'vitest'
import { createRatings } from '../panel/ratings'
import type { Feedback, Message } from '../panel/types'

const answer = { id: 'a1', feedback: null } as unknown as Message

/** Ratings whose server says no to the presses that are named, counted from nought. */
function withRefusals(...refused: number[]) {
  const asked: (Feedback | null)[] = []
  const shown: (Feedback | null)[] = []
  let looked = 0
  const { rate, settled } = createRatings(
    async (_conversation, _message, feedback) => {
      if (refused.includes(asked.push(feedback) - 1)) throw new Error('no')
    },
    (_conversation, rating) => shown.push(rating.feedback),
    () => (looked += 1),
  )
  const hear = (feedback: Feedback | null) => settled([{ id: answer.id, feedback }]).length
  const press = (feedback: Feedback | null, on: Message = answer) => rate('c1', on, feedback).catch(() => undefined)
  return { asked, shown, press, hear, looked: () => looked }
}

describe('ratings', () => {
  it('are shown before they are kept', async () => {
    const { asked, shown, press } = withRefusals()
    const pressing = press('helpful')
    expect([shown, asked]).toEqual([['helpful'], []])
    await pressing
    expect([shown, asked]).toEqual([['helpful'], ['helpful']])
  })

  it('arrive in the order they were pressed in', async () => {
    const { asked, press } = withRefusals()
    await Promise.all([press('helpful'), press('not_helpful'), press(null)])
    expect(asked).toEqual(['helpful', 'not_helpful', null])
  })

  it('go back to what was kept before, however many were refused', async () => {
    const { shown, press } = withRefusals(0, 1)
    await Promise.all([press('helpful'), press('not_helpful', { ...answer, feedback: 'helpful' })])
    expect(shown.at(-1)).toBe(null)
  })

  it('go back to the one before, where that was kept', async () => {
    const { shown, press } = withRefusals(1)
    await Promise.all([press('helpful'), press('not_helpful')])
    expect(shown.at(-1)).toBe('helpful')
  })

  it('stay as pressed last, where only one before was refused', async () => {
    const { shown, press } = withRefusals(0)
    await Promise.all([press('helpful'), press('not_helpful')])
    expect(shown).toEqual(['helpful', 'not_helpful'])
  })

  it('are not overtaken by what the server says of the one before', async () => {
    const { press, hear, looked } = withRefusals()
    const pressing = [press('helpful'), press('not_helpful')]
    expect(hear('helpful')).toBe(0)
    expect(hear('not_helpful')).toBe(0)
    await Promise.all(pressing)
    expect([hear('helpful'), looked()]).toEqual([1, 0])
  })

  it('are read again where something else was heard last: another tab may have pressed after us', async () => {
    const { press, hear, looked } = withRefusals()
    const pressing = press('helpful')
    hear(null)
    await pressing
    expect(looked()).toBe(1)
  })
})
