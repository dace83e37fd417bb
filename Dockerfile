# docker build -t red . && docker run --rm -p 8501:8501 red
# A CPU-only torch makes the image several GB smaller: pass its index with
# --build-arg PIP_EXTRA_INDEX_URL=...
FROM python:3.11-slim

ARG PIP_EXTRA_INDEX_URL=""
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

RUN useradd --create-home --uid 1000 red && install -d -o red -g red /data
# Official data sets that somebody downloads; a volume keeps them.
ENV RED_DATA=/data
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    -r requirements.txt
COPY app.py ./
COPY .streamlit .streamlit
COPY red_core red_core
COPY pages pages
COPY assets assets

USER red
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
# 0.0.0.0 is inside the container only; -p decides who reaches it. Reached under another name than
# localhost, it wants that name: docker run -e STREAMLIT_SERVER_ALLOWED_HOSTS="lab.example.org".
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0", \
     "--server.port=8501"]
