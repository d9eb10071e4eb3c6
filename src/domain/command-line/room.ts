/** How many characters may be put into one command line, all texts within it together. */
export interface Room {
  left: number;
}

/**
 * A text of a few lines can double what it holds with each of them, and any process of a machine may show one: without a bound
 * it would take all memory of whoever reads it. No command line that starts a server comes near this.
 */
export function newRoom(): Room {
  return { left: 1 << 20 };
}

/** Takes that many characters where they are left; whoever asks for more ends the putting in, so that nobody asks again and again. */
export function takes(room: Room, size: number): boolean {
  const fits = size <= room.left;
  room.left = fits ? room.left - size : 0;
  return fits;
}
