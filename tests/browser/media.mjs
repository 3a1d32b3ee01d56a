// SPDX-License-Identifier: MIT
// A small library of real files, made by ffmpeg: songs with tags and covers, films, pictures.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ffmpeg = (...args) => run('ffmpeg', ['-v', 'error', '-y', '-threads', '1', ...args]);

export const HOSTILE = '<img src=x onerror="window.hacked=1"> & "quotes" \'single\'';

const tags = (t) => Object.entries(t).flatMap(([k, v]) => ['-metadata', `${k}=${v}`]);
const tone = (hz, s) => ['-f', 'lavfi', '-i', `sine=frequency=${hz}:duration=${s}`];

async function song(dir, file, hz, seconds, meta) {
  const codec = file.endsWith('.flac') ? ['-c:a', 'flac'] : file.endsWith('.ogg') ? ['-c:a', 'libvorbis'] : ['-c:a', 'libmp3lame', '-b:a', '64k'];
  await ffmpeg(...tone(hz, seconds), ...tags(meta), ...codec, join(dir, file));
}

/** Fills `root`; returns what is in it. */
export async function makeMedia(root) {
  const music = join(root, 'Music', 'Nina Vale', 'Quiet Rooms');
  const odd = join(root, 'Music', 'Odd & Even');
  const films = join(root, 'Films'), pictures = join(root, 'Pictures');
  for (const d of [music, odd, films, pictures]) await mkdir(d, { recursive: true });
  const album = { artist: 'Nina Vale', album: 'Quiet Rooms', genre: 'Ambient', date: '2019' };
  await song(music, '01 Morning.flac', 330, 4, { ...album, title: 'Morning', track: '1' });
  await song(music, '02 Window.ogg', 392, 4, { ...album, title: 'Window', track: '2' });
  await song(music, '03 Evening.mp3', 262, 20, { ...album, title: 'Evening', track: '3' });
  await song(odd, 'hostile.mp3', 440, 3, { artist: '<b>Bold</b>', album: 'A "B" <C>', title: HOSTILE });
  await ffmpeg('-f', 'lavfi', '-i', 'gradients=s=400x400:c0=0x2b6a6c:c1=0xe9c79b:n=2:d=1', '-frames:v', '1', join(music, 'cover.jpg'));
  await ffmpeg(...tone(523, 3), '-i', join(music, 'cover.jpg'), '-map', '0', '-map', '1', '-c:a', 'libmp3lame', '-c:v', 'copy',
    '-id3v2_version', '3', '-disposition:v', 'attached_pic',
    ...tags({ title: 'Picture inside', artist: 'Ada Brandt', album: 'Inside' }), join(odd, 'inside.mp3'));
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=6:r=15', ...tone(220, 6), '-c:v', 'libx264', '-preset', 'ultrafast',
    '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-movflags', '+faststart', join(films, 'Harbour.mp4'));
  await writeFile(join(films, 'Harbour.en.srt'), '1\n00:00:00,000 --> 00:00:05,000\nThe harbour at night\n');
  for (let i = 1; i <= 5; i++) {
    await ffmpeg('-f', 'lavfi', '-i', `gradients=s=900x600:seed=${i}:n=3:d=1`, '-frames:v', '1', join(pictures, `Holiday ${i}.jpg`));
  }
  return { audio: 5, videos: 1, images: 5 };
}
