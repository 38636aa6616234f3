/** Takes out of a message every word that may hold a password: whatever looks like a part of a connection URL or string. */
export function hideSecrets(message: string): string {
  return message.replace(/[^\s'"]*(?::\/\/|@|password=|:[^\s'"]*\/)[^\s'"]*/gi, '…');
}
