import { expect, it } from 'vitest'
import { counted, fill, loader } from '../strings/en'

it('puts values in and leaves what it does not know', () => {
  expect(fill('{name} joined {place}', { name: 'Ana' })).toBe('Ana joined {place}')
})

it('counts', () => {
  expect([1, 2].map((n) => counted(loader.unread, n))).toEqual(['Open support chat, 1 unread message', 'Open support chat, 2 unread messages'])
})
