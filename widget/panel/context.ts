/** What every component may reach: the model, and a line for what went wrong. */

import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Chat } from './chat'

export interface Reach {
  chat: Chat
  report(sentence: string): void
}

export const ChatContext = createContext<Reach | null>(null)

export function useChat(): Reach {
  return useContext(ChatContext)!
}
