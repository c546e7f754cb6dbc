#!/bin/sh
# Makes demo/sample.mp4: a few seconds of invented advertising, said by a synthetic voice. Needs espeak-ng.
set -eu
cd "$(dirname "$0")/.."
ffmpeg="${SUBITEYA_FFMPEG:-$(.venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')}"
bold=publishing/editing/fonts/Inter_700Bold.ttf
plain=publishing/editing/fonts/Inter_400Regular.ttf
voice="$(mktemp --suffix=.wav)"
trap 'rm -f "$voice"' EXIT
espeak-ng -v es-419+f3 -s 150 -p 55 -g 4 -f demo/sample.txt -w "$voice"
"$ffmpeg" -v error -y \
  -f lavfi -i "gradients=s=1280x720:r=25:d=10:n=4:c0=0xF6B65C:c1=0xE8743B:c2=0xEBA251:c3=0xC2452D:speed=0.015" -i "$voice" \
  -filter_complex "
    [0:v]drawbox=x=90:y=200:w=10:h=250:color=white@0.9:t=fill,
    drawtext=fontfile=$bold:text='La Espiga':fontsize=110:fontcolor=white:x=130:y=190:shadowcolor=black@0.25:shadowx=3:shadowy=3,
    drawtext=fontfile=$plain:text='Medialunas recién horneadas':fontsize=54:fontcolor=white:x=132:y=330:alpha='min(1,max(0,t-0.8))',
    drawtext=fontfile=$plain:text='Todos los días desde las 7':fontsize=42:fontcolor=white:x=132:y=410:alpha='min(1,max(0,t-3.5))',
    drawtext=fontfile=$bold:text='Te esperamos':fontsize=44:fontcolor=0xC2452D:box=1:boxcolor=white@0.95:boxborderw=22:x='1280-min(1,max(0,(t-6)*2))*430':y=560,
    format=yuv420p[v];
    [1:a]adelay=400:all=1,apad=pad_dur=0.5,aresample=48000,volume=1.4[a]" \
  -map "[v]" -map "[a]" -c:v libx264 -preset slow -crf 27 -c:a aac -b:a 64k -ac 1 -t 9.6 -map_metadata -1 \
  -movflags +faststart demo/sample.mp4
ls -l demo/sample.mp4
