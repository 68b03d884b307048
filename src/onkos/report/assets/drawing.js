"use strict";
// Draws three linked planes of upright images: 8 bits a voxel, x fastest, code 0 outside.

// Axis that runs right, axis that runs down, axis across; "up" where down is against the axis.
const PLANES = {
  axial: { right: 0, down: 1, across: 2, up: false, letters: ["R", "L", "A", "P"] },
  coronal: { right: 0, down: 2, across: 1, up: true, letters: ["R", "L", "H", "F"] },
  sagittal: { right: 1, down: 2, across: 0, up: true, letters: ["A", "P", "H", "F"] },
};

function drawing(facts, state, { codesNow, labels }) {
  const strides = [1, facts.shape[0], facts.shape[0] * facts.shape[1]];
  const side = Math.max(...facts.shape);
  // A small tissue is drawn over the larger one that it borders.
  const largestFirst = [...facts.tissues].sort((a, b) => b.voxels - a.voxels);

  // Index in the volume of the picture's pixel (column, row) of a plane.
  function voxelOf(pane, column, row) {
    const { right, down, across, up } = pane.plane;
    const index = [0, 0, 0];
    index[right] = column;
    index[down] = up ? facts.shape[down] - 1 - row : row;
    index[across] = state.at[across];
    return index;
  }
  const offset = (index) => index[0] * strides[0] + index[1] * strides[1] + index[2] * strides[2];
  const size = (pane) => [facts.shape[pane.plane.right], facts.shape[pane.plane.down]];

  // Where the picture lies on its canvas: one scale for all three planes, centred.
  function frame(pane) {
    const [columns, rows] = size(pane);
    const scale = pane.canvas.width / side;
    return {
      scale,
      left: (pane.canvas.width - columns * scale) / 2,
      top: (pane.canvas.height - rows * scale) / 2,
    };
  }

  function shades() {
    const { low, high } = state.windows[state.role];
    const levels = facts.roles[state.role].levels;
    const shade = new Uint8ClampedArray(256);
    for (let code = 1; code < 256; code += 1) {
      shade[code] = Math.round((255 * (levels[code] - low)) / (high - low));
    }
    return shade;
  }

  function cut(pane, codes) {
    const [columns, rows] = size(pane);
    const found = new Uint8Array(columns * rows);
    const step = strides[pane.plane.right];
    for (let row = 0; row < rows; row += 1) {
      let from = offset(voxelOf(pane, 0, row));
      for (let column = 0; column < columns; column += 1, from += step) {
        found[row * columns + column] = codes[from];
      }
    }
    return found;
  }

  function paintImage(pane, shade) {
    const [columns, rows] = size(pane);
    const pixels = new ImageData(columns, rows);
    const codes = cut(pane, codesNow());
    for (let n = 0; n < codes.length; n += 1) {
      const grey = shade[codes[n]];
      pixels.data[4 * n] = grey;
      pixels.data[4 * n + 1] = grey;
      pixels.data[4 * n + 2] = grey;
      pixels.data[4 * n + 3] = 255;
    }
    pane.image.width = columns;
    pane.image.height = rows;
    pane.image.getContext("2d").putImageData(pixels, 0, 0);
  }

  function paintTint(pane, found, tissues) {
    const [columns, rows] = size(pane);
    const pixels = new ImageData(columns, rows);
    const colours = new Map(tissues.map((tissue) => [
      tissue.label,
      [1, 3, 5].map((start) => parseInt(tissue.colour.slice(start, start + 2), 16)),
    ]));
    for (let n = 0; n < found.length; n += 1) {
      const colour = colours.get(found[n]);
      if (colour) pixels.data.set([...colour, 255], 4 * n);
    }
    pane.tint.width = columns;
    pane.tint.height = rows;
    pane.tint.getContext("2d").putImageData(pixels, 0, 0);
  }

  // Border between voxels of a tissue and all others, as straight lines.
  function strokeBorders(pane, context, found, tissues, { scale, left, top }) {
    const [columns, rows] = size(pane);
    const label = (column, row) => (
      column < 0 || row < 0 || column >= columns || row >= rows ? 0 : found[row * columns + column]
    );
    context.lineWidth = 1.5 * (window.devicePixelRatio || 1);
    for (const tissue of tissues) {
      context.beginPath();
      for (let row = 0; row <= rows; row += 1) {
        for (let column = 0; column <= columns; column += 1) {
          const inside = label(column, row) === tissue.label;
          const x = left + column * scale;
          const y = top + row * scale;
          if (inside !== (label(column - 1, row) === tissue.label)) {
            context.moveTo(x, y);
            context.lineTo(x, y + scale);
          }
          if (inside !== (label(column, row - 1) === tissue.label)) {
            context.moveTo(x, y);
            context.lineTo(x + scale, y);
          }
        }
      }
      context.strokeStyle = tissue.colour;
      context.stroke();
    }
  }

  function strokeCross(pane, context, { scale, left, top }) {
    const { right, down, up } = pane.plane;
    const row = up ? facts.shape[down] - 1 - state.at[down] : state.at[down];
    const x = left + (state.at[right] + 0.5) * scale;
    const y = top + (row + 0.5) * scale;
    const gap = 9 * (window.devicePixelRatio || 1);
    context.strokeStyle = "rgba(255, 255, 255, 0.6)";
    context.lineWidth = window.devicePixelRatio || 1;
    context.beginPath();
    context.moveTo(0, y); context.lineTo(x - gap, y);
    context.moveTo(x + gap, y); context.lineTo(pane.canvas.width, y);
    context.moveTo(x, 0); context.lineTo(x, y - gap);
    context.moveTo(x, y + gap); context.lineTo(x, pane.canvas.height);
    context.stroke();
  }

  function letter(pane, context, { scale }) {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = pane.canvas;
    context.font = `${14 * ratio}px system-ui, sans-serif`;
    context.lineJoin = "round";
    context.textBaseline = "middle";
    const write = (text, x, y, align) => {
      context.textAlign = align;
      context.strokeStyle = "#000";
      context.lineWidth = 3 * ratio;
      context.strokeText(text, x, y);
      context.fillStyle = "#fff";
      context.fillText(text, x, y);
    };
    const [leftmost, rightmost, topmost, lowest] = pane.plane.letters;
    const edge = 6 * ratio;
    write(leftmost, edge, height / 2, "left");
    write(rightmost, width - edge, height / 2, "right");
    write(topmost, width / 2, edge + 7 * ratio, "center");
    write(lowest, width / 2, height - edge - 7 * ratio, "center");
    if (facts.phantom) write("phantom", width - edge, edge + 7 * ratio, "right");
    const mm = [100, 50, 20, 10, 5, 2, 1].find((length) => length <= (side * facts.step_mm) / 4);
    if (!mm) return;
    const length = (mm / facts.step_mm) * scale;
    context.fillStyle = "#fff";
    context.fillRect(edge, height - edge - 2 * ratio, length, 2 * ratio);
    write(`${mm} mm`, edge, height - edge - 13 * ratio, "left");
  }

  function draw(pane) {
    const wide = Math.round(pane.canvas.clientWidth * (window.devicePixelRatio || 1));
    if (!wide) return;
    if (pane.canvas.width !== wide || pane.canvas.height !== wide) {
      pane.canvas.width = wide;
      pane.canvas.height = wide;
    }
    const context = pane.canvas.getContext("2d");
    const placed = frame(pane);
    const [columns, rows] = size(pane);
    const box = [placed.left, placed.top, columns * placed.scale, rows * placed.scale];
    context.fillStyle = "#000";
    context.fillRect(0, 0, wide, wide);
    paintImage(pane, shades());
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(pane.image, ...box);
    const tissues = largestFirst.filter((tissue) => !state.hidden.has(tissue.label));
    if (labels() && tissues.length) {
      const found = cut(pane, labels());
      if (state.fill > 0) {
        paintTint(pane, found, tissues);
        context.imageSmoothingEnabled = false;
        context.globalAlpha = state.fill;
        context.drawImage(pane.tint, ...box);
        context.globalAlpha = 1;
      }
      strokeBorders(pane, context, found, tissues, placed);
    }
    if (state.cross) strokeCross(pane, context, placed);
    letter(pane, context, placed);
  }

  return { draw, frame, offset, size, voxelOf };
}
