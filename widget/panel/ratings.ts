/** What is found of answers: on the screen at once, and put back to what is kept where it could not be kept. */

import type { Feedback, Message, Rating } from './types'

type Keep = (conversation: string, message: string, feedback: Feedback | null) => Promise<unknown>
type Show = (conversation: string, rating: Rating) => void

export function createRatings(keep: Keep, show: Show) {
  /** One after the other, so that the last press is the last to arrive. */
  let last: Promise<unknown> = Promise.resolve()
  /** Of the messages whose presses are under way: what the server has, and how many there are. */
  const pressed = new Map<string, { kept: Feedback | null; presses: number }>()

  /** Say what is found of an answer, or take it back with null. */
  return async function rate(conversation: string, message: Message, feedback: Feedback | null) {
    const { id } = message
    const known = pressed.get(id) ?? { kept: message.feedback ?? null, presses: 0 }
    pressed.set(id, known)
    known.presses += 1
    show(conversation, { id, feedback })
    const kept = last.catch(() => undefined).then(() => keep(conversation, id, feedback))
    last = kept
    try {
      await kept
      known.kept = feedback
    } catch (problem) {
      // The last press decides what is shown; one that is still under way is shown already.
      if (known.presses === 1) show(conversation, { id, feedback: known.kept })
      throw problem
    } finally {
      known.presses -= 1
      if (!known.presses) pressed.delete(id)
    }
  }
}
