// What lies under a pixel of a Plotly chart, in data coordinates.
//
// Plotly finds points for its hover labels, some time after the pointer has come and for a surface
// or a contour only the nearest grid point; a click asks for exactly its own pixel, at once.

const NEAR = 9; // CSS pixels around a marker that count as on it

// node: the chart; x, y: pixels from its upper left corner. Null where there is nothing.
export function hitAt(node, x, y) {
  const full = node._fullLayout;
  const seen = node._fullData.filter((trace) => trace.visible === true && trace.hoverinfo !== "skip");
  for (const name of full._subplots.gl3d ?? []) {
    const hit = inScene(full, full[name]._scene, name, seen, x, y);
    if (hit) return hit;
  }
  return onPlane(full, seen, x, y);
}

function onPlane(full, seen, x, y) {
  let best = null;
  let least = NEAR;
  for (const trace of seen) {
    const [across, up] = [axis(full, trace.xaxis), axis(full, trace.yaxis)];
    if (!across || !up) continue;
    const [left, top] = [x - across._offset, y - up._offset];
    if (left < 0 || left > across._length || top < 0 || top > up._length) continue;
    const at = [across.p2d(left), up.p2d(top)];
    if (trace.type === "contour" || trace.type === "heatmap") {
      best ??= describe(trace, { x: at[0], y: at[1], at });
    } else if (trace.type === "scatter") {
      for (let i = 0; i < trace.x.length; i++) {
        const away = Math.hypot(across.d2p(trace.x[i]) - left, up.d2p(trace.y[i]) - top);
        if (!(away < least)) continue;
        least = away;
        best = describe(trace, { x: trace.x[i], y: trace.y[i], at, point: i });
      }
    }
  }
  return best;
}

const axis = (full, name) => name && full[name.replace(/^([xy])/, "$1axis")];

function describe(trace, found) {
  const { customdata, index, name } = trace;
  const detail = found.point === undefined ? undefined : customdata?.[found.point];
  const plain = ArrayBuffer.isView(detail) ? Array.from(detail) : detail;
  return { curve: index, trace: name ?? "", customdata: plain, ...found };
}

function inScene(full, scene, name, seen, x, y) {
  const { l, t, w, h } = full._size;
  const { domain } = full[name];
  const width = w * (domain.x[1] - domain.x[0]);
  const height = h * (domain.y[1] - domain.y[0]);
  const left = x - l - domain.x[0] * w;
  const top = y - t - (1 - domain.y[1]) * h;
  if (left < 0 || left > width || top < 0 || top > height) return null;
  const project = projector(scene, width, height);
  let [best, depth] = [null, Infinity];
  for (const trace of seen) {
    if (trace.scene !== name) continue;
    const found =
      trace.type === "surface" ? onSurface(trace, project, left, top)
      : trace.type === "scatter3d" ? onMarkers(trace, project, left, top)
      : null;
    if (found && found.depth < depth) {
      const { data, point } = found;
      depth = found.depth;
      best = describe(trace, { x: data[0], y: data[1], z: data[2], at: data.slice(0, 2), point });
    }
  }
  return best;
}

// Data coordinates to [pixel across, pixel down, depth].
function projector(scene, width, height) {
  const { model, view, projection } = scene.glplot.cameraParams;
  const axes = ["xaxis", "yaxis", "zaxis"].map((which) => scene.fullSceneLayout[which]);
  const apply = (m, v) =>
    [0, 1, 2, 3].map((i) => m[i] * v[0] + m[i + 4] * v[1] + m[i + 8] * v[2] + m[i + 12] * v[3]);
  return (data) => {
    const scaled = data.map((value, i) => axes[i].d2l(value) * scene.dataScale[i]);
    const p = apply(projection, apply(view, apply(model, [...scaled, 1])));
    return [(0.5 + (0.5 * p[0]) / p[3]) * width, (0.5 - (0.5 * p[1]) / p[3]) * height, p[2] / p[3]];
  };
}

function onMarkers(trace, project, left, top) {
  let best = null;
  let least = NEAR;
  for (let i = 0; i < trace.x.length; i++) {
    const data = [trace.x[i], trace.y[i], trace.z[i]];
    const [across, down, depth] = project(data);
    const away = Math.hypot(across - left, down - top);
    if (away < least) [least, best] = [away, { data, depth, point: i }];
  }
  return best;
}

function onSurface(trace, project, left, top) {
  const { x, y, z } = trace;
  const corners = Array.from(z, (row, j) =>
    Array.from(row, (height, i) => {
      const data = [x[i], y[j], height];
      return { data, at: project(data) };
    })
  );
  let best = null;
  for (let j = 0; j + 1 < corners.length; j++) {
    for (let i = 0; i + 1 < corners[j].length; i++) {
      const [a, b, c, d] = [corners[j][i], corners[j][i + 1], corners[j + 1][i], corners[j + 1][i + 1]];
      for (const three of [[a, b, c], [d, c, b]]) {
        const found = inTriangle(three, left, top);
        if (found && !(best?.depth < found.depth)) best = found;
      }
    }
  }
  return best;
}

function inTriangle([p, q, r], left, top) {
  const [px, py] = [p.at[0] - left, p.at[1] - top];
  const [qx, qy] = [q.at[0] - left, q.at[1] - top];
  const [rx, ry] = [r.at[0] - left, r.at[1] - top];
  const area = (qx - px) * (ry - py) - (rx - px) * (qy - py);
  const shares = [(qx * ry - rx * qy) / area, (rx * py - px * ry) / area, (px * qy - qx * py) / area];
  if (!shares.every((share) => share >= 0)) return null; // NaN, a hole in the surface, is not
  const mix = (values) => shares[0] * values[0] + shares[1] * values[1] + shares[2] * values[2];
  return {
    data: [0, 1, 2].map((i) => mix([p.data[i], q.data[i], r.data[i]])),
    depth: mix([p.at[2], q.at[2], r.at[2]]),
  };
}
