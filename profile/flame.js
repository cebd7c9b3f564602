// SPDX-License-Identifier: GPL-3.0-or-later
// Zoom and search of a flame graph. Names are only ever read from and written to text nodes.
(function () {
  'use strict';
  var svg = document.documentElement, width = 1200, charWidth = 6.65;
  var byId = function (id) { return document.getElementById(id); };
  var detail = byId('detail'), reset = byId('reset'), field = byId('search'), matched = byId('matched');
  var hint = detail.textContent;
  var frames = Array.prototype.map.call(document.querySelectorAll('g.f'), function (g) {
    var rect = g.querySelector('rect'), title = g.querySelector('title').textContent;
    return {
      g: g, rect: rect, text: g.querySelector('text'), title: title, name: title.split('\n')[0],
      x: +rect.getAttribute('x'), w: +rect.getAttribute('width'), y: +rect.getAttribute('y')
    };
  });
  var zoomed = null;

  // Characters of East Asian scripts and emoji are two wide. svg_write.c counts the same.
  function columns(text) {
    return Array.from(text).reduce(function (sum, c) { return sum + (c.codePointAt(0) >= 0x1100 ? 2 : 1); }, 0);
  }

  function fit(name, w) {
    var room = Math.floor((w - 6) / charWidth), used = 0, label = '';
    if (room < 3) return '';
    if (columns(name) <= room) return name;
    Array.from(name).every(function (c) {
      used += columns(c);
      if (used + 1 > room) return false;
      label += c;
      return true;
    });
    return label + '\u2026';
  }

  function place(frame, x, w, isAbove) {
    var label = fit(frame.name, w);
    frame.g.style.display = w < 0.1 ? 'none' : '';
    frame.g.classList.toggle('above', isAbove);
    frame.rect.setAttribute('x', x.toFixed(3));
    frame.rect.setAttribute('width', w.toFixed(3));
    if (!frame.text && label) {
      frame.text = document.createElementNS('http://www.w3.org/2000/svg', 'text');
      frame.text.setAttribute('y', frame.y + 12);
      frame.g.appendChild(frame.text);
    }
    if (!frame.text) return;
    frame.text.setAttribute('x', (x + 3).toFixed(3));
    frame.text.textContent = label;
  }

  function zoom(target) {
    var tiny = 1e-3;
    zoomed = target && target.y > frames[0].y ? target : null;
    reset.style.visibility = zoomed ? 'visible' : 'hidden';
    frames.forEach(function (frame) {
      if (!zoomed) return place(frame, frame.x, frame.w, false);
      if (frame.y < zoomed.y) {
        if (frame.x <= zoomed.x + tiny && frame.x + frame.w >= zoomed.x + zoomed.w - tiny) return place(frame, 0, width, true);
      } else if (frame.x >= zoomed.x - tiny && frame.x + frame.w <= zoomed.x + zoomed.w + tiny) {
        return place(frame, (frame.x - zoomed.x) * width / zoomed.w, frame.w * width / zoomed.w, false);
      }
      frame.g.style.display = 'none';
    });
  }

  // What is found counts once, also where one such function calls another.
  function search(text) {
    var wanted = text.toLowerCase(), covered = 0, until = -1, count = 0;
    var found = frames.filter(function (frame) {
      var isFound = wanted !== '' && frame.name.toLowerCase().indexOf(wanted) >= 0;
      frame.g.classList.toggle('found', isFound);
      return isFound;
    });
    found.sort(function (a, b) { return a.x - b.x || b.w - a.w; }).forEach(function (frame) {
      count++;
      if (frame.x + 1e-3 < until) return;
      covered += frame.w;
      until = frame.x + frame.w;
    });
    matched.textContent = wanted === '' ? '' : count + ' found, ' + (covered * 100 / width).toFixed(1) + ' %';
  }

  frames.forEach(function (frame) {
    frame.g.addEventListener('click', function () { zoom(frame); });
    frame.g.addEventListener('mouseenter', function () { detail.textContent = frame.title.replace(/\n/g, '  \u00b7  '); });
    frame.g.addEventListener('mouseleave', function () { detail.textContent = hint; });
  });
  reset.addEventListener('click', function () { zoom(null); });
  field.addEventListener('input', function () { search(field.value); });
  window.addEventListener('keydown', function (event) {
    if (event.key === 'Escape') {
      field.value = '';
      search('');
      zoom(null);
    } else if (event.key === '/' && document.activeElement !== field) {
      event.preventDefault();
      field.focus();
    }
  });
  svg.classList.add('live');
  reset.style.visibility = 'hidden';
})();
