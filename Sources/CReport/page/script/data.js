'use strict';
// The page's data: statistics as JSON, the bytes of the maps as PNG in base64.

const data = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);

/** An element with properties and children; texts become text nodes, never markup. */
function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === 'style') Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** A layer's name as it may be shown: what steers a terminal or turns the direction of text is made visible. */
const shown = name => name.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, c => '\\u{' + c.codePointAt(0).toString(16) + '}');

/** Tells the user that something is not as it should be. */
function warn(text) {
  $('warning').textContent = text;
  $('warning').hidden = false;
}

function bytesOfBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Adler-32 (RFC 1950). */
function checkSum(bytes) {
  let a = 1, b = 0;
  for (let i = 0; i < bytes.length;) {
    const end = Math.min(i + 5552, bytes.length);
    for (; i < end; i++) { a += bytes[i]; b += a; }
    a %= 65521; b %= 65521;
  }
  return (b * 65536) + a;
}

/** The grey values of a PNG by the browser's own decoder. */
async function pixelsByBrowser(png, target, offset) {
  const bitmap = await createImageBitmap(new Blob([png], {type: 'image/png'}), {colorSpaceConversion: 'none', premultiplyAlpha: 'none'});
  const canvas = el('canvas', {width: bitmap.width, height: bitmap.height});
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.drawImage(bitmap, 0, 0);
  // In parts, since four bytes for each are needed.
  for (let y = 0; y < bitmap.height; y += 256) {
    const rows = Math.min(256, bitmap.height - y);
    const pixels = context.getImageData(0, y, bitmap.width, rows).data;
    const count = Math.min(pixels.length / 4, target.length - offset);
    for (let i = 0; i < count; i++) target[offset + i] = pixels[4 * i];
    offset += count;
  }
  bitmap.close();
  canvas.width = canvas.height = 0;
  return offset;
}

/** The same by unpacking it here, for browsers that change what a page reads from a canvas. */
async function pixelsByInflating(png, target, offset) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const width = view.getUint32(16), height = view.getUint32(20), parts = [];
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at);
    if (view.getUint32(at + 4) === 0x49444154) parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream('deflate'));
  const rows = new Uint8Array(await new Response(stream).arrayBuffer());
  for (let y = 0; y < height; y++) {
    const count = Math.min(width, target.length - offset);
    target.set(rows.subarray(y * (width + 1) + 1, y * (width + 1) + 1 + count), offset);
    offset += count;
  }
  return offset;
}

const decoded = new Map();

/** Promise of the bytes (channels, height, width) of a run's layer; `decoded.get(key).bytes` holds them once they are there. */
const bytesOf = (run, layer) => bytesOfMaps(`${run}-${layer}`, data.runs[run].layers[layer]);

const bytesOfMaps = (key, maps) => unpacked(key, maps.channels * maps.height * maps.width, maps.maps, maps.check_sum);

/** Promise of `count` bytes that the page's elements `ids` hold. */
function unpacked(key, count, ids, sum) {
  let entry = decoded.get(key);
  if (entry) return entry.promise;
  entry = {bytes: null};
  entry.promise = (async () => {
    const target = new Uint8Array(count);
    const files = ids.map(id => bytesOfBase64($(id).textContent));
    for (const unpack of [pixelsByBrowser, pixelsByInflating]) {
      try {
        let offset = 0;
        for (const file of files) offset = await unpack(file, target, offset);
        if (checkSum(target) === sum) return entry.bytes = target;
      } catch (error) { /* The other way is left. */ }
    }
    warn('This browser changes what the page reads from its own pictures; maps and values here are not the network’s.');
    return entry.bytes = target;
  })();
  decoded.set(key, entry);
  return entry.promise;
}
